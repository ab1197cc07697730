/* Texts that are JSON, and texts that are not with the place and the reason told. */
#ifndef TESTS_UNIT_WIRE_JSON_CASES_H
#define TESTS_UNIT_WIRE_JSON_CASES_H

#include "base/str.h"

static const struct str good[] = {
    STR_INIT("0"),
    STR_INIT("-0"),
    STR_INIT("7"),
    STR_INIT("-12"),
    STR_INIT("1.5"),
    STR_INIT("0.0"),
    STR_INIT("1e5"),
    STR_INIT("1E+5"),
    STR_INIT("1e-05"),
    STR_INIT("-0.1e1"),
    STR_INIT("1e999"),
    STR_INIT("123456789012345678901234567890"),
    STR_INIT("true"),
    STR_INIT("false"),
    STR_INIT("null"),
    STR_INIT("\"\""),
    STR_INIT("\"a\""),
    STR_INIT("\" !#[]^~\x7f\""),
    STR_INIT("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\""),
    STR_INIT("\"\\u0000\\u001f\\uD7ff\\ue000\\uFFFF\""),
    STR_INIT("\"\\ud83d\\ude00\""),
    STR_INIT("\"\\uD800\\uDC00\\udbff\\udfff\""),
    STR_INIT(
        "\"\xc2\x80\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xf0\x90\x80\x80\xf4\x8f\xbf\xbf\""),
    STR_INIT("\"\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e mixed \xd0\xbf\xd1\x80 "
             "\xf0\x9f\x98\x80 and a plain end\""),
    STR_INIT("[]"),
    STR_INIT("{}"),
    STR_INIT(" [ ] "),
    STR_INIT("\t{\r\n}\n"),
    STR_INIT("[[],{},[[]]]"),
    STR_INIT("[1,2,3]"),
    STR_INIT("[1 , \"a\" ,null]"),
    STR_INIT("{\"a\":1}"),
    STR_INIT("{ \"a\" : { \"b\" : [ true , { } ] } , \"c\" : \"d\" }"),
    STR_INIT("{\"a\":1,\"a\":2}"),
    STR_INIT("{\"\":0}"),
    STR_INIT("{\"a\":{\"x\":1},\"b\":[{\"x\":2}]}"),
    STR_INIT("\n\n\n                                                   1     "
             "                     \t\t\t\t\t\t "),
};

#define BAD(text, at, what)                                                                        \
    {                                                                                              \
        STR_INIT(text), at, what                                                                   \
    }
#define END "unexpected end of the text"
#define VALUE "expected a value"
#define DIGIT "expected a digit"
#define NAME "expected the name of a member in double quotes"
#define COLON "expected ':' after the name of a member"
#define CONTROL "control character in a string"
#define ESCAPE "unknown escape in a string"
#define HEX "\\u needs four hexadecimal digits"
#define LONE "lone surrogate in a string"
#define UTF8 "invalid UTF-8 in a string"
#define ZERO "a number has a leading zero"
#define MORE "unexpected bytes after the value"
#define IN_OBJECT "expected ',' or '}'"
#define IN_ARRAY "expected ',' or ']'"

static const struct bad {
    struct str text;
    size_t at;
    const char *what;
} bad[] = {
    BAD("", 0, END),
    BAD(" ", 1, END),
    BAD("\n\t \r", 4, END),
    BAD("\xef\xbb\xbf{}", 0, "the text starts with a byte order mark"),
    BAD(" \xef\xbb\xbf{}", 1, VALUE),
    BAD("\xef\xbb", 0, VALUE),
    BAD("\0", 0, VALUE),
    BAD("1\0", 1, MORE),
    BAD("[1]\0", 3, MORE),
    BAD("\x0b"
        "1",
        0, VALUE),
    BAD("x", 0, VALUE),
    BAD("'a'", 0, VALUE),
    BAD("]", 0, VALUE),
    BAD("}", 0, VALUE),
    BAD(",", 0, VALUE),
    BAD(":", 0, VALUE),
    BAD("\xa0", 0, VALUE),
    BAD("\xc2\xa0"
        "1",
        0, VALUE),
    /* words */
    BAD("t", 1, END),
    BAD("tru", 3, END),
    BAD("nul", 3, END),
    BAD("falsy", 0, VALUE),
    BAD("True", 0, VALUE),
    BAD("nulll", 4, MORE),
    BAD("NaN", 0, VALUE),
    BAD("nan", 0, VALUE),
    BAD("Infinity", 0, VALUE),
    BAD("-Infinity", 1, DIGIT),
    BAD("undefined", 0, VALUE),
    BAD("truefalse", 4, MORE),
    BAD("[tru]", 1, VALUE),
    /* numbers */
    BAD("-", 1, END),
    BAD("+1", 0, VALUE),
    BAD(".5", 0, VALUE),
    BAD("1.", 2, END),
    BAD("1.e5", 2, DIGIT),
    BAD("1e", 2, END),
    BAD("1e+", 3, END),
    BAD("1e-x", 3, DIGIT),
    BAD("1ee5", 2, DIGIT),
    BAD("01", 0, ZERO),
    BAD("-01", 1, ZERO),
    BAD("00", 0, ZERO),
    BAD("0x10", 1, MORE),
    BAD("1_000", 1, MORE),
    BAD("--1", 1, DIGIT),
    BAD("1.5.5", 3, MORE),
    BAD("1 2", 2, MORE),
    BAD("[1.]", 3, DIGIT),
    BAD("[-]", 2, DIGIT),
    BAD("[01]", 1, ZERO),
    BAD("1e5.5", 3, MORE),
    BAD("1a", 1, MORE),
    /* strings */
    BAD("\"", 1, END),
    BAD("\"abc", 4, END),
    BAD("\"a\\", 3, END),
    BAD("\"a\\\"", 4, END),
    BAD("\"a\nb\"", 2, CONTROL),
    BAD("\"\0\"", 1, CONTROL),
    BAD("\"\x1f\"", 1, CONTROL),
    BAD("\"a\tb\"", 2, CONTROL),
    BAD("\"twenty plain bytes, \x01\"", 21, CONTROL),
    BAD("\"\\x41\"", 1, ESCAPE),
    BAD("\"\\'\"", 1, ESCAPE),
    BAD("\"\\0\"", 1, ESCAPE),
    BAD("\"\\U0041\"", 1, ESCAPE),
    BAD("\"\\\n\"", 1, ESCAPE),
    BAD("\"\\v\"", 1, ESCAPE),
    BAD("\"\\\0\"", 1, ESCAPE),
    BAD("\"\\u\"", 1, HEX),
    BAD("\"\\u12\"", 1, HEX),
    BAD("\"\\u123g\"", 1, HEX),
    BAD("\"\\u 123\"", 1, HEX),
    BAD("\"\\u-123\"", 1, HEX),
    BAD("\"\\u123", 1, HEX),
    BAD("\"\\u00:0\"", 1, HEX),
    BAD("\"\\u00@0\"", 1, HEX),
    BAD("\"\\ud83d\"", 1, LONE),
    BAD("\"\\ude00\"", 1, LONE),
    BAD("\"\\ud83dx\"", 1, LONE),
    BAD("\"\\ud83d\\n\"", 1, LONE),
    BAD("\"\\ud83d\\u0041\"", 1, LONE),
    BAD("\"\\ud83d\\ud83d\"", 1, LONE),
    BAD("\"\\ude00\\ud83d\"", 1, LONE),
    BAD("\"\\ud83d\\u\"", 1, LONE),
    BAD("\"\\ud83d\\ude0", 1, LONE),
    BAD("\"\\ud83d\\ude0g\"", 1, LONE),
    BAD("\"\\udbff\\ue000\"", 1, LONE),
    BAD("\"\\udbff\\udbff\"", 1, LONE),
    BAD("\"\x80\"", 1, UTF8),
    BAD("\"a\xc3\"", 2, UTF8),
    BAD("\"\xc3", 1, UTF8),
    BAD("\"\xc0\x80\"", 1, UTF8),
    BAD("\"\xe0\x9f\xbf\"", 1, UTF8),
    BAD("\"\xed\xa0\x80\"", 1, UTF8),
    BAD("\"\xf0\x8f\xbf\xbf\"", 1, UTF8),
    BAD("\"\xf4\x90\x80\x80\"", 1, UTF8),
    BAD("\"\xf5\x80\x80\x80\"", 1, UTF8),
    BAD("\"\xff\"", 1, UTF8),
    BAD("\"\xe6\x97\xa5\xe6\x97\"", 4, UTF8),
    BAD("\"\xe6\x97\xa5 \xe6\x97 \"", 5, UTF8),
    BAD("\"\xd0\xbf \x80\"", 4, UTF8),
    BAD("\"\xd0\xbf\n\xd0\xbf\"", 3, CONTROL),
    BAD("\"\xf0\x9f\x98\"", 1, UTF8),
    /* arrays */
    BAD("[", 1, END),
    BAD("[1", 2, END),
    BAD("[1,", 3, END),
    BAD("[1,]", 3, VALUE),
    BAD("[,1]", 1, VALUE),
    BAD("[1 2]", 3, IN_ARRAY),
    BAD("[1}", 2, IN_ARRAY),
    BAD("[1:2]", 2, IN_ARRAY),
    BAD("[1]]", 3, MORE),
    BAD("[[1]", 4, END),
    BAD("[\"a\":1]", 4, IN_ARRAY),
    BAD("[1,,2]", 3, VALUE),
    /* objects */
    BAD("{", 1, END),
    BAD("{\"a\"", 4, END),
    BAD("{\"a\":", 5, END),
    BAD("{\"a\":1", 6, END),
    BAD("{\"a\":1,", 7, END),
    BAD("{\"a\":1,}", 7, NAME),
    BAD("{,}", 1, NAME),
    BAD("{a:1}", 1, NAME),
    BAD("{'a':1}", 1, NAME),
    BAD("{1:1}", 1, NAME),
    BAD("{\"a\" 1}", 5, COLON),
    BAD("{\"a\",1}", 4, COLON),
    BAD("{\"a\":}", 5, VALUE),
    BAD("{\"a\"::1}", 5, VALUE),
    BAD("{\"a\":1 \"b\":2}", 7, IN_OBJECT),
    BAD("{\"a\":1]", 6, IN_OBJECT),
    BAD("{\"a\":1}}", 7, MORE),
    BAD("{\"a\":[1}", 7, IN_ARRAY),
    BAD("{\"a\":{\"b\":1]}", 11, IN_OBJECT),
    BAD("{\"a\\x\":1}", 3, ESCAPE),
    BAD("{\"a\xff\":1}", 3, UTF8),
    BAD("{\"a\":1}//", 7, MORE),
    BAD("{/**/}", 1, NAME),
    BAD("{} {}", 3, MORE),
    BAD("{\"a\":{\"b\"}}", 9, COLON),
};

#endif
