#include "dialect/count.h"

#include "wire/json_scan.h"
#include "wire/json_write.h"

/* Google's JSON may write whole numbers as strings. */
static bool is_count(struct str body, const struct json_member *m, uint64_t *ret)
{
    if (m->type == JSON_NUMBER)
        return json_u64(json_value(body, m), ret);
    return m->type == JSON_STRING &&
           str_u64(str_of(body.p + m->value_at + 1, m->value_len - 2), ret);
}

/* One member of the answer is the number; `error` beside it or in its place says that there is none. */
static enum err read_count(struct str body, struct str name, struct count_answer *ret,
                           const char **ret_what)
{
    const struct str want[] = { name, STR("error") };
    struct json_problem problem;
    struct json_member m[2];
    struct count_answer ans = { 0 };
    *ret_what = "the answer is not valid JSON";
    if (json_check(body, &problem))
        return ERR_UPSTREAM_BAD;
    *ret_what = "the answer holds no count of tokens";
    if (!json_peek_object(body, want, 2, m, NULL))
        return ERR_UPSTREAM_BAD;
    ans.error = m[1].type != JSON_ABSENT && m[1].type != JSON_NULL;
    if (!ans.error && !is_count(body, &m[0], &ans.tokens))
        return ERR_UPSTREAM_BAD;
    *ret = ans;
    return ERR_OK;
}

enum err count_read_anthropic(struct str body, struct count_answer *ret, const char **ret_what)
{
    return read_count(body, STR("input_tokens"), ret, ret_what);
}

/* protobuf leaves a zero out, but what weir sends is never empty: an answer without a number is another's. What a cache holds is
 * part of it. */
enum err count_read_gemini(struct str body, struct count_answer *ret, const char **ret_what)
{
    return read_count(body, STR("totalTokens"), ret, ret_what);
}

void count_write_openai(uint64_t tokens, struct buf *out)
{
    struct json_write w;
    json_begin(&w, out);
    json_obj(&w, NULL);
    json_strz(&w, "object", "response.input_tokens");
    json_uint(&w, "input_tokens", tokens);
    json_end(&w);
}
