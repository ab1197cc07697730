#include "ir_test.h"

static void test_data_urls(void **state)
{
    static const struct {
        const char *json, *mime, *data; /* data NULL: refused */
    } cases[] = {
        { "\"data:image/png;base64,QUJD\"", "image/png", "QUJD" },
        { "\"DATA:Image/PNG;Base64,QUJD\"", "image/png", "QUJD" },
        { "\"data:image/jpg;base64,QUI=\"", "image/jpeg", "QUI=" },
        { "\"data:text/plain;charset=utf-8;base64,QQ==\"", "text/plain", "QQ==" },
        { "\"data:;base64,QUJD\"", "", "QUJD" },
        { "\"data:image\\/png;base64,QUJD\\/w==\"", "image/png", "QUJD/w==" }, /* PHP's escapes */
        { "\"data:image/png;base64,QUI\"", "image/png", "QUI=" },
        { "\"data:image/png;base64,-_8\"", "image/png", "+/8=" },
        { "\"data:image/png;base64,QU\\nJD\"", "image/png", "QUJD" },
        { "\"data:image/png;base64,QUI%3D\"", "image/png", "QUI=" },
        { "\"data:text/plain,hi%20you\"", "text/plain", "aGkgeW91" },
        { "\"data:,abc\"", "", "YWJj" },
        { "\"data:application/vnd.ms-excel+x;base64,QUJD\"", "application/vnd.ms-excel+x", "QUJD" },
        { "\"data:image/png;base64,\"", NULL, NULL },
        { "\"data:image/png;base64\"", NULL, NULL },
        { "\"data:image/png;base64,QUJ*\"", NULL, NULL },
        { "\"data:image/png;base64,Q\"", NULL, NULL },
        { "\"data:image/png;base64,Q===\"", NULL, NULL },
        { "\"data:text/plain,100%\"", NULL, NULL },
        { "\"data:text/plain,%zz\"", NULL, NULL },
        { "\"data:no-slash;base64,QUJD\"", NULL, NULL },
        { "\"data:im age/png;base64,QUJD\"", NULL, NULL },
        { "\"https://example.com/a.png\"", NULL, NULL },
        { "\"data\"", NULL, NULL },
        { "\"\"", NULL, NULL },
        { "", NULL, NULL },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct arena *a = arena_new();
        struct str mime = STR("?"), data = STR("?");
        bool ok = ir_data_url(str_c(cases[i].json), a, &mime, &data);
        if (ok != (cases[i].data != NULL))
            fail_msg("case %zu: %s", i, cases[i].json);
        assert_text(mime, ok ? cases[i].mime : "?");
        assert_text(data, ok ? cases[i].data : "?");
        arena_free(a);
    }
}

static void test_large_data_is_borrowed(void **state)
{
    struct arena *a = arena_new();
    size_t n = 8 * MIB;
    struct str head = STR("\"data:image/png;base64,"), mime, data;
    char *json = arena_alloc(a, head.len + n + 1);
    memcpy(json, head.p, head.len);
    memset(json + head.len, 'A', n);
    json[head.len + n] = '"';
    size_t before = arena_bytes(a);
    assert_true(ir_data_url(str_of(json, head.len + n + 1), a, &mime, &data));
    assert_ptr_equal(data.p, json + head.len);
    assert_int_equal(data.len, n);
    assert_int_equal(arena_bytes(a), before);
    arena_free(a);
}

static void test_base64_and_mime(void **state)
{
    struct arena *a = arena_new();
    struct str data;
    assert_true(ir_base64(STR("QUJD\r\nQUI="), a, &data));
    assert_text(data, "QUJDQUI=");
    assert_false(ir_base64(STR(""), a, &data));
    assert_false(ir_base64(STR(" \n"), a, &data));
    assert_false(ir_base64(STR("a\0bc"), a, &data));
    assert_false(ir_base64(STR("QUJD\""), a, &data));
    assert_text(ir_mime(STR(" Text/HTML ; charset=x"), a), "text/html");
    assert_text(ir_mime(STR("text"), a), "");
    assert_text(ir_mime(STR("text/\r\nx"), a), "");
    assert_text(ir_mime(STR("/x"), a), "");
    assert_text(ir_mime(STR("x/"), a), "");
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_data_urls),
        cmocka_unit_test(test_large_data_is_borrowed),
        cmocka_unit_test(test_base64_and_mime),
    };
    return cmocka_run_group_tests_name("ir/data_url", tests, NULL, NULL);
}
