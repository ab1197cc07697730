/* wire/json_scan, json_iter, json_value, splice and json_quote against yyjson, on any bytes.
 *
 * Both accept or both refuse; where they differ on purpose: more than JSON_DEPTH_MAX levels, and a
 * member asked for that stands twice. What is accepted is walked side by side with yyjson's tree;
 * what is refused is walked all the same, where only the bounds matter. */
#include "base/arena.h"
#include "base/buf.h"
#include "wire/json_scan.h"
#include "wire/json_write.h"
#include "wire/splice.h"
#include "wire/utf8.h"

#include "fuzz.h"

#include <yyjson.h>

static const struct str names[] = {
    STR_INIT("model"), STR_INIT("stream"), STR_INIT("a"),
    STR_INIT("\""),    STR_INIT(""),       STR_INIT("messages"),
};
enum { NAMES = sizeof names / sizeof names[0] };

static bool inside(struct str outer, struct str s)
{
    return s.len <= outer.len &&
           (s.len == 0 || (s.p >= outer.p && s.p + s.len <= outer.p + outer.len));
}

static void same_scalar(struct str value, yyjson_val *want, struct arena *a)
{
    double d;
    switch (json_type_of(value)) {
    case JSON_NULL: REQUIRE(yyjson_is_null(want)); break;
    case JSON_TRUE:
    case JSON_FALSE:
        REQUIRE(yyjson_is_bool(want) && yyjson_get_bool(want) == (*value.p == 't'));
        break;
    case JSON_STRING: {
        struct str plain = str_of(yyjson_get_str(want), yyjson_get_len(want));
        REQUIRE(yyjson_is_str(want));
        REQUIRE(str_eq(json_unescape(value, a), plain) && json_str_eq(value, plain));
        break;
    }
    default: {
        uint64_t u;
        struct str raw = str_of(yyjson_get_raw(want), yyjson_get_len(want));
        REQUIRE(yyjson_is_raw(want) && str_eq(value, raw));
        if (json_u64(value, &u) && json_double(value, &d))
            REQUIRE(d == (double)u);
        break;
    }
    }
}

/* No deeper than JSON_DEPTH_MAX, which the scan has seen to. */
static void same_tree(struct str value, yyjson_val *want, struct arena *a)
{
    struct json_iter it = json_iter(value);
    if (yyjson_is_arr(want)) {
        yyjson_arr_iter all = yyjson_arr_iter_with(want);
        for (yyjson_val *v; (v = yyjson_arr_iter_next(&all));) {
            REQUIRE(json_next(&it) && inside(value, it.value));
            same_tree(it.value, v, a);
        }
        REQUIRE(json_type_of(value) == JSON_ARRAY && !json_next(&it));
    } else if (yyjson_is_obj(want)) {
        yyjson_obj_iter all = yyjson_obj_iter_with(want);
        for (yyjson_val *k; (k = yyjson_obj_iter_next(&all));) {
            REQUIRE(json_next(&it) && inside(value, it.value) && inside(value, it.name));
            struct str plain = str_of(yyjson_get_str(k), yyjson_get_len(k));
            REQUIRE(json_str_eq(str_of(it.name.p - 1, it.name.len + 2), plain));
            same_tree(it.value, yyjson_obj_iter_get_val(k), a);
        }
        REQUIRE(json_type_of(value) == JSON_OBJECT && !json_next(&it));
    } else {
        same_scalar(value, want, a);
    }
}

static void same_member(const struct json_member *x, const struct json_member *y)
{
    REQUIRE(x->type == y->type && x->index == y->index && x->name_at == y->name_at);
    REQUIRE(x->value_at == y->value_at && x->value_len == y->value_len && x->escaped == y->escaped);
    REQUIRE(x->next_at == y->next_at && x->comma_before == y->comma_before);
}

/* Cuts the members that `mask` tells, adds one, and expects as many as that leaves. */
static void cut_some(struct str text, uint32_t count, unsigned mask, struct arena *a)
{
    struct splice sp;
    struct json_problem problem;
    uint32_t cut = 0, left;
    splice_init(&sp, a, text);
    for (struct json_iter it = json_iter(text); json_next(&it);)
        if (mask >> (it.member.index % 7) & 1) {
            splice_cut_member(&sp, &it.member);
            cut++;
        }
    splice_add_member(&sp, count, "added", STR("[1]"));
    struct str flat = splice_flat(&sp, a);
    REQUIRE(flat.len == splice_len(&sp));
    REQUIRE(json_scan_object(flat, NULL, 0, NULL, &left, &problem) == ERR_OK);
    REQUIRE(left == count - cut + 1);
}

static void check_object(struct str text, yyjson_val *root, unsigned mask, struct arena *a)
{
    struct json_member scanned[NAMES], peeked[NAMES];
    struct json_problem problem = { 0, NULL };
    uint32_t count;
    size_t repeated;
    bool object = json_peek_object(text, names, NAMES, peeked, &repeated);
    REQUIRE(object == yyjson_is_obj(root));
    enum err e = json_scan_object(text, names, NAMES, scanned, &count, &problem);
    REQUIRE((e == ERR_OK) == (object && repeated == 0));
    if (e) {
        REQUIRE(problem.what && problem.at < text.len);
        return;
    }
    REQUIRE(count == yyjson_obj_size(root));
    for (size_t i = 0; i < NAMES; i++)
        same_member(&scanned[i], &peeked[i]);
    cut_some(text, count, mask, a);
}

static void check_quote(struct str text)
{
    struct buf out;
    buf_init(&out, 6 * text.len + 2);
    json_quote(&out, text);
    REQUIRE(out.fail == ERR_OK);
    yyjson_doc *doc = yyjson_read(out.p, out.len, 0);
    REQUIRE(doc);
    yyjson_val *v = yyjson_doc_get_root(doc);
    if (utf8_valid(text))
        REQUIRE(str_eq(text, str_of(yyjson_get_str(v), yyjson_get_len(v))));
    yyjson_doc_free(doc);
    buf_done(&out);
}

static void check_refused(struct str text, const struct json_problem *problem)
{
    struct json_member m[NAMES];
    size_t steps = 0;
    REQUIRE(problem->what && problem->at <= text.len);
    for (struct json_iter it = json_iter(text); json_next(&it); steps++)
        REQUIRE(inside(text, it.value) && inside(text, it.name) && steps < text.len);
    json_peek_object(text, names, NAMES, m, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = str_of((const char *)data, size);
    struct json_problem problem = { 0, NULL };
    struct arena *a = arena_new();
    bool good = json_check(text, &problem) == ERR_OK;
    yyjson_doc *doc =
        yyjson_read_opts((char *)(uintptr_t)data, size, YYJSON_READ_NUMBER_AS_RAW, NULL, NULL);
    if (!good && str_eq(str_c(problem.what), STR("nested too deep")))
        goto out;
    REQUIRE(good == (doc != NULL));
    if (good) {
        same_tree(str_trim(text), yyjson_doc_get_root(doc), a);
        check_object(text, yyjson_doc_get_root(doc), (unsigned)size, a);
    } else {
        check_refused(text, &problem);
    }
    check_quote(text);
out:
    yyjson_doc_free(doc);
    arena_free(a);
    return 0;
}
