/* usageMetadata (Gemini API reference, "UsageMetadata", and Vertex AI's, August 2026). */
#include "dialect/gemini_priv.h"

bool gemini_u64(struct str value, uint64_t *ret_value)
{
    if (json_type_of(value) == JSON_STRING && value.len >= 2)
        return str_u64(str_of(value.p + 1, value.len - 2), ret_value);
    return json_u64(value, ret_value);
}

/* [{"modality":"AUDIO","tokenCount":3}] */
static void read_details(struct str array, uint64_t *ret_audio, uint64_t *ret_image)
{
    static const struct str names[] = { STR_INIT("modality"), STR_INIT("tokenCount") };
    struct json_iter it = json_iter(array);
    uint64_t audio = 0, image = 0, n;
    while (json_next(&it)) {
        struct json_member m[2];
        if (!json_peek_object(it.value, names, 2, m, NULL) ||
            !gemini_u64(json_value(it.value, &m[1]), &n))
            continue;
        if (json_str_eq(json_value(it.value, &m[0]), STR("AUDIO")))
            audio = n;
        else if (json_str_eq(json_value(it.value, &m[0]), STR("IMAGE")))
            image = n;
    }
    *ret_audio = audio;
    *ret_image = image;
}

static struct str tier_of(struct str json)
{
    static const struct {
        struct str theirs, ours;
    } tiers[] = {
        { STR_INIT("standard"), STR_INIT("default") },
        { STR_INIT("STANDARD"), STR_INIT("default") },
        { STR_INIT("flex"), STR_INIT("flex") },
        { STR_INIT("FLEX"), STR_INIT("flex") },
        { STR_INIT("priority"), STR_INIT("priority") },
        { STR_INIT("PRIORITY"), STR_INIT("priority") },
        { STR_INIT("ON_DEMAND_PRIORITY"), STR_INIT("priority") },
        { STR_INIT("ON_DEMAND_FLEX"), STR_INIT("flex") },
    };
    for (size_t i = 0; i < sizeof tiers / sizeof tiers[0]; i++)
        if (json_str_eq(json, tiers[i].theirs))
            return tiers[i].ours;
    return str_of(NULL, 0);
}

void gemini_read_usage(struct str json, struct gemini_counts *u, struct str *ret_tier)
{
    enum {
        PROMPT,
        CANDIDATES,
        THOUGHTS,
        CACHED,
        TOOL_USE,
        TOTAL,
        IN_DETAILS,
        OUT_DETAILS,
        TIER,
        TRAFFIC,
        N
    };
    static const struct str names[N] = {
        STR_INIT("promptTokenCount"),
        STR_INIT("candidatesTokenCount"),
        STR_INIT("thoughtsTokenCount"),
        STR_INIT("cachedContentTokenCount"),
        STR_INIT("toolUsePromptTokenCount"),
        STR_INIT("totalTokenCount"),
        STR_INIT("promptTokensDetails"),
        STR_INIT("candidatesTokensDetails"),
        STR_INIT("serviceTier"),
        STR_INIT("trafficType"),
    };
    uint64_t *const counts[] = { &u->prompt, &u->candidates, &u->thoughts,
                                 &u->cached, &u->tool_use,   &u->total };
    struct json_member m[N];
    if (!json_peek_object(json, names, N, m, NULL))
        return;
    for (size_t i = 0; i <= TOTAL; i++)
        if (gemini_u64(json_value(json, &m[i]), counts[i]))
            u->reported = true;
    if (m[IN_DETAILS].type == JSON_ARRAY)
        read_details(json_value(json, &m[IN_DETAILS]), &u->prompt_audio, &u->prompt_image);
    if (m[OUT_DETAILS].type == JSON_ARRAY)
        read_details(json_value(json, &m[OUT_DETAILS]), &u->out_audio, &u->out_image);
    struct str tier = tier_of(json_value(json, &m[TIER]));
    if (tier.len == 0)
        tier = tier_of(json_value(json, &m[TRAFFIC]));
    if (tier.len)
        *ret_tier = tier;
}

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* Sums of numbers that a provider made up do not wrap. */
static uint64_t add(uint64_t a, uint64_t b)
{
    return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

struct ir_usage gemini_usage(const struct gemini_counts *u)
{
    uint64_t prompt = add(u->prompt, u->tool_use), out = u->candidates;
    /* Some versions of Vertex AI count thoughts among the candidates' tokens already. */
    bool inclusive =
        u->thoughts > 0 && u->candidates >= u->thoughts && add(prompt, u->candidates) == u->total;
    if (!inclusive)
        out = add(out, u->thoughts);
    return (struct ir_usage){
        .reported = u->reported,
        .prompt_tokens = prompt,
        .completion_tokens = out,
        .cached_tokens = least(u->cached, prompt),
        .reasoning_tokens = u->thoughts,
        .audio_prompt_tokens = u->prompt_audio,
        .audio_completion_tokens = u->out_audio,
        .image_prompt_tokens = u->prompt_image,
        .image_completion_tokens = u->out_image,
    };
}
