/* Usage and error objects (Claude API reference, "Messages" and "Errors", August 2026). */
#include "dialect/anthropic_priv.h"
#include "dialect/upstream_fault.h"
#include "wire/json_scan.h"

#define COUNT_MAX ((uint64_t)1 << 40) /* more is no count of tokens; sums cannot overflow */

static void read_count(struct str object, const struct json_member *m, uint64_t *ret_count)
{
    uint64_t n;
    if (m->type == JSON_NUMBER && json_u64(json_value(object, m), &n) && n <= COUNT_MAX)
        *ret_count = n;
}

/* "standard" -> "default"; empty for null and unknown ones. */
static struct str service_tier(struct str literal)
{
    static const struct {
        struct str from, to;
    } tiers[] = {
        { STR_INIT("standard"), STR_INIT("default") },
        { STR_INIT("batch"), STR_INIT("default") },
        { STR_INIT("priority"), STR_INIT("priority") },
    };
    for (size_t i = 0; i < sizeof tiers / sizeof tiers[0]; i++)
        if (json_str_eq(literal, tiers[i].from))
            return tiers[i].to;
    return str_of(NULL, 0);
}

/* One object's own numbers, those of `iterations` left alone. Returns that array. */
static struct str read_counts(struct str json, struct anthropic_counts *c, struct str *ret_tier)
{
    static const struct str names[] = {
        STR_INIT("input_tokens"),   STR_INIT("cache_creation_input_tokens"),
        STR_INIT("output_tokens"),  STR_INIT("cache_read_input_tokens"),
        STR_INIT("cache_creation"), STR_INIT("output_tokens_details"),
        STR_INIT("iterations"),     STR_INIT("service_tier"),
    };
    static const struct str ttl_names[] = { STR_INIT("ephemeral_5m_input_tokens"),
                                            STR_INIT("ephemeral_1h_input_tokens") };
    static const struct str detail_names[] = { STR_INIT("thinking_tokens") };
    struct json_member m[8], ttl[2], detail[1];
    uint64_t short_lived = 0;
    if (!json_peek_object(json, names, 8, m, NULL))
        return str_of(NULL, 0);
    c->reported = true;
    *ret_tier = service_tier(json_value(json, &m[7]));
    read_count(json, &m[0], &c->input);
    read_count(json, &m[1], &c->written);
    read_count(json, &m[2], &c->output);
    read_count(json, &m[3], &c->read);
    struct str split = json_value(json, &m[4]), details = json_value(json, &m[5]);
    if (json_peek_object(split, ttl_names, 2, ttl, NULL)) {
        read_count(split, &ttl[0], &short_lived);
        read_count(split, &ttl[1], &c->written_1h);
        if (c->written < short_lived + c->written_1h)
            c->written = short_lived + c->written_1h;
    }
    if (json_peek_object(details, detail_names, 1, detail, NULL))
        read_count(details, &detail[0], &c->thinking);
    return m[6].type == JSON_ARRAY ? json_value(json, &m[6]) : str_of(NULL, 0);
}

/* Where an answer was made in several iterations, the numbers at the top are the last one's, and all
 * of them are billed. */
struct str anthropic_read_usage(struct str json, struct anthropic_counts *c)
{
    struct str tier = { NULL, 0 }, unused;
    struct json_iter it = json_iter(read_counts(json, c, &tier));
    struct anthropic_counts sum = { .thinking = c->thinking };
    while (json_next(&it)) {
        struct anthropic_counts one = { 0 };
        read_counts(it.value, &one, &unused);
        sum.reported |= one.reported;
        sum.input += one.input;
        sum.written += one.written;
        sum.written_1h += one.written_1h;
        sum.read += one.read;
        sum.output += one.output;
    }
    if (sum.reported)
        *c = sum;
    return tier;
}

struct ir_usage anthropic_usage_of(const struct anthropic_counts *c)
{
    uint64_t long_lived = c->written_1h < c->written ? c->written_1h : c->written;
    return (struct ir_usage){
        .reported = c->reported,
        .prompt_tokens = c->input + c->written + c->read,
        .completion_tokens = c->output,
        .cached_tokens = c->read,
        .cache_write_tokens = c->written - long_lived,
        .cache_write_1h_tokens = long_lived,
        .reasoning_tokens = c->thinking < c->output ? c->thinking : c->output,
    };
}

/* An error inside an answer that began with 200 has the status that it would have had alone. */
static int status_of(struct str type)
{
    static const struct {
        struct str type;
        int status;
    } known[] = {
        { STR_INIT("invalid_request_error"), 400 },
        { STR_INIT("authentication_error"), 401 },
        { STR_INIT("billing_error"), 402 },
        { STR_INIT("permission_error"), 403 },
        { STR_INIT("not_found_error"), 404 },
        { STR_INIT("conflict_error"), 409 },
        { STR_INIT("request_too_large"), 413 },
        { STR_INIT("rate_limit_error"), 429 },
        { STR_INIT("api_error"), 500 },
        { STR_INIT("timeout_error"), 504 },
        { STR_INIT("overloaded_error"), 529 },
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (json_str_eq(type, known[i].type))
            return known[i].status;
    return 200; /* by its code, where it has one of another shape */
}

void anthropic_read_error(struct str json, struct arena *a, struct fault *ret_fault)
{
    static const struct str names[] = { STR_INIT("error") }, inner[] = { STR_INIT("type") };
    struct json_member m[1], t[1];
    struct str type = { 0 };
    if (json_peek_object(json, names, 1, m, NULL)) {
        struct str error = json_value(json, &m[0]);
        if (json_peek_object(error, inner, 1, t, NULL))
            type = json_value(error, &t[0]);
    }
    upstream_fault(status_of(type), json, STR("Anthropic"), str_of(NULL, 0), -1, a, ret_fault);
}
