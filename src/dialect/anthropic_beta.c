#include "dialect/anthropic_beta.h"

#include "ir/report.h"
#include "wire/json_scan.h"

#define DATE_LEN (sizeof "-2026-02-01" - 1)

/* The newest names that Anthropic's SDK 2.12 lists (types/anthropic_beta_param.py, November 2026). */
struct str anthropic_beta_of(struct str name, struct str raw)
{
    static const struct {
        struct str member;
        const char *inside,
            *is; /* only where the value has this member; only where it is this word */
        struct str beta;
    } rows[] = {
        { STR_INIT("context_management"), NULL, NULL, STR_INIT("context-management-2025-06-27") },
        { STR_INIT("mcp_servers"), NULL, NULL, STR_INIT("mcp-client-2025-11-20") },
        { STR_INIT("fallbacks"), NULL, NULL, STR_INIT("server-side-fallback-2026-07-01") },
        { STR_INIT("container"), "skills", NULL, STR_INIT("skills-2025-10-02") },
        { STR_INIT("output_config"), "task_budget", NULL, STR_INIT("task-budgets-2026-03-13") },
        { STR_INIT("speed"), NULL, "fast", STR_INIT("fast-mode-2026-02-01") },
        { STR_INIT(""), "type", "computer_20250124", STR_INIT("computer-use-2025-01-24") },
        { STR_INIT(""), "type", "computer_20251124", STR_INIT("computer-use-2025-11-24") },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (!str_eq(name, rows[i].member))
            continue;
        struct str value = rows[i].inside ? json_get(raw, rows[i].inside) : raw;
        if (json_type_of(value) > JSON_NULL &&
            (!rows[i].is || json_str_eq(value, str_c(rows[i].is))))
            return rows[i].beta;
    }
    return str_of(NULL, 0);
}

static bool is_date(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (i == 0 || i == 5 || i == 8 ? s.p[i] != '-' : s.p[i] < '0' || s.p[i] > '9')
            return false;
    return s.len == DATE_LEN;
}

static struct str undated(struct str beta)
{
    bool dated = beta.len > DATE_LEN && is_date(str_skip(beta, beta.len - DATE_LEN));
    return dated ? str_head(beta, beta.len - DATE_LEN) : beta;
}

static bool names(struct str list, struct str beta, bool any_date)
{
    while (list.len) {
        struct str one = str_trim(str_cut(&list, ','));
        if (str_eq(any_date ? undated(one) : one, any_date ? undated(beta) : beta))
            return true;
    }
    return false;
}

static struct str appended(struct str list, struct str beta, struct arena *a)
{
    return arena_printf(a, "%.*s%s%.*s", STR_ARG(list), list.len ? "," : "", STR_ARG(beta));
}

struct str anthropic_betas_with(struct str list, struct str more, struct arena *a)
{
    struct str all = { 0 };
    while (list.len) {
        struct str one = str_trim(str_cut(&list, ','));
        bool other_date = names(more, one, true) && !names(more, one, false);
        if (one.len && !other_date && !names(all, one, false))
            all = appended(all, one, a);
    }
    while (more.len) {
        struct str one = str_trim(str_cut(&more, ','));
        if (one.len && !names(all, one, false))
            all = appended(all, one, a);
    }
    return all;
}

enum err anthropic_betas_of_client(struct str list, bool vertex, struct ir_report *r,
                                   struct arena *a, struct str *ret_list, struct fault *ret_fault)
{
    /* Claude on Vertex AI refuses names that it does not know. */
    static const struct str there = STR_INIT(
        "compact-2026-01-12,computer-use-2025-01-24,computer-use-2025-11-24,context-1m-2025-08-07,"
        "context-management-2025-06-27,interleaved-thinking-2025-05-14,web-search-2025-03-05");
    struct str kept = { 0 };
    while (list.len) {
        struct str one = str_trim(str_cut(&list, ','));
        if (!one.len)
            continue;
        if (!vertex || names(there, one, false))
            kept = appended(kept, one, a);
        else
            TRY(ir_lose(r, "anthropic_beta", "anthropic-beta", ret_fault));
    }
    *ret_list = kept;
    return ERR_OK;
}
