#include "base/log.h"

#include "base/clock.h"

static const char *const level_names[] = {
    [LOG_ERROR] = "error", [LOG_WARN] = "warn", [LOG_INFO] = "info", [LOG_DEBUG] = "debug"
};

/* Length of the UTF-8 sequence at p, or 0: none is overlong, a surrogate, or past U+10FFFF. */
static size_t utf8_len(const unsigned char *p, size_t left)
{
    static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
    if (p[0] < 0x80)
        return 1;
    size_t n = p[0] < 0xc0 ? 0 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : p[0] < 0xf8 ? 4 : 0;
    if (n == 0 || n > left)
        return 0;
    uint32_t code = p[0] & (0x7fu >> n);
    for (size_t i = 1; i < n; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return 0;
        code = code << 6 | (p[i] & 0x3fu);
    }
    bool good = code >= least[n] && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff);
    return good ? n : 0;
}

static void put_quoted(struct buf *out, struct str s)
{
    buf_putc(out, '"');
    for (size_t i = 0; i < s.len;) {
        unsigned char c = (unsigned char)s.p[i];
        size_t n = utf8_len((const unsigned char *)s.p + i, s.len - i);
        if (c == '"' || c == '\\') {
            char esc[2] = { '\\', (char)c };
            buf_put(out, str_of(esc, 2));
        } else if (c < 0x20 || c == 0x7f) {
            buf_printf(out, "\\u%04x", c);
        } else if (n == 0) {
            buf_put(out, STR("\\ufffd"));
        } else {
            buf_put(out, str_of(s.p + i, n));
        }
        i += n ? n : 1;
    }
    buf_putc(out, '"');
}

static bool is_plain(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.p[i] <= ' ' || s.p[i] >= 0x7f || s.p[i] == '"' || s.p[i] == '=' || s.p[i] == '\\')
            return false;
    return s.len > 0;
}

static void put_key(struct log_line *l, const char *key)
{
    if (l->form == LOG_JSON) {
        buf_put(l->out, STR(",\""));
        buf_putz(l->out, key);
        buf_put(l->out, STR("\":"));
    } else {
        buf_putc(l->out, ' ');
        buf_putz(l->out, key);
        buf_putc(l->out, '=');
    }
}

void log_begin(struct log_line *l, struct buf *out, enum log_form form, enum log_level level,
               uint64_t unix_ms, const char *event)
{
    char when[CLOCK_RFC3339_BYTES];
    clock_rfc3339(unix_ms, when);
    *l = (struct log_line){ out, form };
    if (form == LOG_JSON) {
        buf_put(out, STR("{\"time\":\""));
        buf_putz(out, when);
        buf_put(out, STR("\",\"level\":\""));
        buf_putz(out, level_names[level]);
        buf_put(out, STR("\",\"event\":"));
        put_quoted(out, str_c(event));
    } else {
        buf_putz(out, when);
        buf_putc(out, ' ');
        buf_putz(out, level_names[level]);
        buf_putc(out, ' ');
        buf_putz(out, event);
    }
}

void log_str(struct log_line *l, const char *key, struct str value)
{
    if (value.len == 0)
        return;
    put_key(l, key);
    if (l->form == LOG_TEXT && is_plain(value))
        buf_put(l->out, value);
    else
        put_quoted(l->out, value);
}

void log_u64(struct log_line *l, const char *key, uint64_t value)
{
    put_key(l, key);
    buf_u64(l->out, value);
}

void log_ms(struct log_line *l, const char *key, uint64_t us)
{
    put_key(l, key);
    buf_u64(l->out, us / 1000);
    char frac[4] = { '.', (char)('0' + us / 100 % 10), (char)('0' + us / 10 % 10),
                     (char)('0' + us % 10) };
    buf_put(l->out, str_of(frac, sizeof frac));
}

void log_end(struct log_line *l)
{
    buf_put(l->out, l->form == LOG_JSON ? STR("}\n") : STR("\n"));
}
