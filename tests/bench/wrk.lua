-- One POST to the path of the URL, again and again. BENCH_BODY names the file with the JSON, BENCH_KEY is the bearer token.
local file = assert(io.open(os.getenv("BENCH_BODY"), "rb"))
wrk.method = "POST"
wrk.body = file:read("*a")
wrk.headers["Content-Type"] = "application/json"
wrk.headers["Authorization"] = "Bearer " .. os.getenv("BENCH_KEY")
file:close()

function done(summary, latency, requests)
    local e = summary.errors
    io.write(string.format(
        "RESULT {\"completed\":%d,\"duration_us\":%d,\"bad_status\":%d,\"failed\":%d,\"p50_us\":%.1f,\"p99_us\":%.1f}\n",
        summary.requests, summary.duration, e.status, e.connect + e.read + e.write + e.timeout,
        latency:percentile(50), latency:percentile(99)))
end
