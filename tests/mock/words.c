#include "mock/words.h"

#include "base/buf.h"
#include "base/mem.h"

#define TOKEN_MAX 12
#define TOKENS_OF_IMAGE 85
#define TOKENS_OF_MESSAGE 3

static bool is_space(char c)
{
    return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

struct str token_next(struct str *text)
{
    size_t n = 0;
    while (n < text->len && is_space(text->p[n]))
        n++;
    size_t start = n;
    while (n < text->len && !is_space(text->p[n]) && n - start < TOKEN_MAX)
        n++;
    while (n < text->len && ((unsigned char)text->p[n] & 0xc0) == 0x80)
        n++;
    struct str token = str_head(*text, n);
    *text = str_skip(*text, n);
    return token;
}

uint64_t token_count(struct str text)
{
    uint64_t n = 0;
    for (; text.len > 0; n++)
        token_next(&text);
    return n;
}

struct str token_head(struct str text, uint64_t n, bool *ret_cut)
{
    struct str rest = text;
    for (uint64_t i = 0; i < n && rest.len > 0; i++)
        token_next(&rest);
    *ret_cut = rest.len > 0;
    return str_head(text, text.len - rest.len);
}

struct str words_make(struct arena *a, uint64_t n)
{
    static const char *const words[] = { "The",   "dam",       "is",   "low",  "and",  "the",
                                         "river", "runs",      "over", "it;",  "what", "passes",
                                         "is",    "measured,", "not",  "held." };
    struct buf b;
    buf_init(&b, 64 * MIB);
    for (uint64_t i = 0; i < n && !b.fail; i++) {
        if (i > 0)
            buf_putc(&b, ' ');
        buf_putz(&b, words[i % (sizeof(words) / sizeof(words[0]))]);
    }
    struct str text = arena_dup(a, buf_str(&b));
    buf_done(&b);
    return text;
}

uint64_t prompt_tokens_of(yyjson_val *v)
{
    uint64_t n = 0;
    if (yyjson_is_str(v))
        return token_count(str_of(yyjson_get_str(v), yyjson_get_len(v)));
    if (yyjson_is_num(v))
        return 1; /* token ids */
    if (yyjson_is_arr(v)) {
        yyjson_arr_iter it = yyjson_arr_iter_with(v);
        for (yyjson_val *e; (e = yyjson_arr_iter_next(&it));)
            n += prompt_tokens_of(e);
        return n;
    }
    if (!yyjson_is_obj(v))
        return 0;
    yyjson_val *type = yyjson_obj_get(v, "type");
    if (yyjson_equals_str(type, "image_url") || yyjson_equals_str(type, "image") ||
        yyjson_equals_str(type, "document") || yyjson_equals_str(type, "input_image") ||
        yyjson_equals_str(type, "input_file"))
        return TOKENS_OF_IMAGE;
    if (yyjson_obj_get(v, "role"))
        n += TOKENS_OF_MESSAGE;
    yyjson_obj_iter it = yyjson_obj_iter_with(v);
    for (yyjson_val *name; (name = yyjson_obj_iter_next(&it));)
        if (!yyjson_equals_str(name, "role") && !yyjson_equals_str(name, "type"))
            n += prompt_tokens_of(yyjson_obj_iter_get_val(name));
    return n;
}
