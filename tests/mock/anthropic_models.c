#include "mock/anthropic.h"

#define LOW_MAX "low medium high xhigh max"

static const struct claude_model models[] = {
    { STR_INIT("claude-"), 1000000, 128000, false, true, true, true, false, false, true, false,
      LOW_MAX, false },
    { STR_INIT("claude-3-5-haiku"), 200000, 8192, false, false, true, false, true, true, false,
      false, NULL, false },
    { STR_INIT("claude-haiku-4-5"), 200000, 64000, true, false, true, false, true, true, true,
      false, NULL, false },
    { STR_INIT("claude-sonnet-4-5"), 200000, 64000, true, false, true, false, true, true, true,
      false, NULL, false },
    { STR_INIT("claude-opus-4-1"), 200000, 32000, true, false, true, false, true, true, false,
      false, NULL, false },
    { STR_INIT("claude-opus-4-5"), 200000, 64000, true, false, true, false, true, true, true, false,
      "low medium high", false },
    { STR_INIT("claude-opus-4-6"), 1000000, 128000, true, true, true, false, true, false, true,
      false, "low medium high max", false },
    { STR_INIT("claude-sonnet-4-6"), 1000000, 64000, true, true, true, false, true, false, true,
      false, "low medium high max", false },
    { STR_INIT("claude-opus-4-8"), 1000000, 128000, false, true, true, false, false, false, true,
      true, LOW_MAX, false },
    { STR_INIT("claude-opus-5"), 1000000, 128000, false, true, true, true, false, false, true, true,
      LOW_MAX, false },
    { STR_INIT("claude-sonnet-5-5"), 1000000, 128000, false, true, true, true, false, false, true,
      false, LOW_MAX, true },
    { STR_INIT("claude-fable-5"), 1000000, 128000, false, true, false, true, false, false, true,
      true, LOW_MAX, false },
};

const struct claude_model *claude_model_of(struct str name)
{
    const struct claude_model *best = NULL;
    for (size_t i = 0; i < sizeof(models) / sizeof(models[0]); i++)
        if (str_starts(name, models[i].prefix) &&
            (!best || models[i].prefix.len > best->prefix.len))
            best = &models[i];
    return best;
}
