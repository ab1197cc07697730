/* Problems: collected, sorted, printed; and the nearest known word. */
#include <stdio.h>

#include "base/mem.h"
#include "conf/conf_priv.h"

#define MESSAGE_MAX 1000
#define WORD_MAX 64

/* One line of plain text, whatever the file held. */
static struct str one_line(struct arena *a, struct str s)
{
    char *p = arena_cstr(a, s);
    size_t n = s.len;
    if (n > MESSAGE_MAX) {
        n = MESSAGE_MAX;
        while (n && (p[n] & 0xc0) == 0x80)
            n--;
    }
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)p[i] < 0x20 || p[i] == 0x7f)
            p[i] = '?';
    return str_of(p, n);
}

static void push(struct conf_diags *d, struct arena *a, struct conf_diag row)
{
    if (d->count == d->room) {
        size_t room = d->room ? d->room * 2 : 16;
        struct conf_diag *rows = ARENA_ARRAY(a, struct conf_diag, room);
        if (d->count)
            memcpy(rows, d->rows, d->count * sizeof *rows);
        d->rows = rows;
        d->room = room;
    }
    d->rows[d->count++] = row;
}

__attribute__((format(printf, 6, 0))) static void diag_vadd(struct conf_diags *d, struct arena *a,
                                                            enum conf_level level, struct str file,
                                                            unsigned line, const char *fmt,
                                                            va_list ap)
{
    d->errors += level == CONF_ERROR;
    d->warnings += level == CONF_WARNING;
    if (d->count > CONF_DIAGS_MAX)
        return;
    struct conf_diag row = { .level = level, .file = arena_dup(a, file), .line = line };
    if (d->count == CONF_DIAGS_MAX) {
        row.level = CONF_NOTE;
        row.line = 0;
        row.msg = STR("there are more problems than are listed here; correct these first");
    } else {
        row.msg = one_line(a, arena_vprintf(a, fmt, ap));
    }
    push(d, a, row);
}

void diag_add(struct conf_diags *d, struct arena *a, enum conf_level level, struct str file,
              unsigned line, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    diag_vadd(d, a, level, file, line, fmt, ap);
    va_end(ap);
}

static size_t file_rank(struct str file, const struct str *files, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq(files[i], file))
            return i;
    return n;
}

void diags_sort(struct conf_diags *d, const struct str *files, size_t file_count)
{
    for (size_t i = 1; i < d->count; i++) {
        struct conf_diag row = d->rows[i];
        size_t rank = file_rank(row.file, files, file_count);
        size_t at = i;
        for (; at > 0; at--) {
            const struct conf_diag *before = &d->rows[at - 1];
            size_t other = file_rank(before->file, files, file_count);
            if (other < rank || (other == rank && before->line <= row.line))
                break;
            d->rows[at] = *before;
        }
        d->rows[at] = row;
    }
}

void conf_diag_write(const struct conf_diag *d, struct buf *out)
{
    static const char *const names[] = { "error", "warning", "note" };
    buf_put(out, d->file);
    if (d->line)
        buf_printf(out, ":%u", d->line);
    buf_printf(out, ": %s: ", names[d->level]);
    buf_put(out, d->msg);
    buf_putc(out, '\n');
}

void tell(struct loader *l, enum conf_level level, const struct conf_node *at, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    diag_vadd(l->diags, l->diag_arena, level, at->file, at->line, fmt, ap);
    va_end(ap);
}

static enum conf_level bad_level(struct loader *l)
{
    if (l->inactive)
        return CONF_WARNING;
    if (!l->deployment)
        l->fatal = true;
    return CONF_ERROR;
}

static bool wants_problem(const struct loader *l)
{
    return !l->inactive && l->deployment && l->deployment->problem.len == 0;
}

void bad(struct loader *l, const struct conf_node *at, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    struct str msg = one_line(l->scratch, arena_vprintf(l->scratch, fmt, ap));
    va_end(ap);
    if (wants_problem(l))
        l->deployment->problem =
            arena_printf(l->arena, "%.*s (%.*s:%u)", STR_ARG(msg), STR_ARG(at->file), at->line);
    tell(l, bad_level(l), at, "%.*s", STR_ARG(msg));
}

void bad_env(struct loader *l, const struct conf_node *at, const struct conf_path *path,
             struct str variable)
{
    struct str key = path_text(l, path), name = one_line(l->scratch, shown(l->scratch, variable));
    if (wants_problem(l))
        l->deployment->problem = arena_printf(
            l->arena, "the environment variable %.*s (%.*s, %.*s:%u) is not set; set it and reload",
            STR_ARG(name), STR_ARG(key), STR_ARG(at->file), at->line);
    tell(l, bad_level(l), at, "the environment variable %.*s (%.*s) is not set; %s", STR_ARG(name),
         STR_ARG(key), l->deployment ? "set it and reload" : "set it, or remove the key");
}

static void put_path(struct buf *out, const struct conf_path *path)
{
    if (path->up)
        put_path(out, path->up);
    if (path->name.len == 0) {
        buf_printf(out, "[%zu]", path->index);
        return;
    }
    if (path->up)
        buf_putc(out, '.');
    buf_put(out, str_head(path->name, WORD_MAX));
}

struct str path_text(struct loader *l, const struct conf_path *path)
{
    struct buf out;
    buf_init(&out, KIB);
    put_path(&out, path);
    struct str text = arena_dup(l->scratch, buf_str(&out));
    buf_done(&out);
    return text;
}

struct str shown(struct arena *a, struct str word)
{
    size_t secret = str_find(word, STR("sk-"));
    if (secret != STR_NONE)
        return arena_printf(a, "%.*ssk-...", STR_ARG(str_head(word, secret)));
    if (word.len <= WORD_MAX)
        return word;
    size_t n = WORD_MAX;
    while (n && (word.p[n] & 0xc0) == 0x80)
        n--;
    return arena_printf(a, "%.*s...", STR_ARG(str_head(word, n)));
}

/* Damerau-Levenshtein with adjacent transpositions, in three rows; more than `max` is told as max +
 * 1. */
static unsigned distance(struct str a, struct str b, unsigned max)
{
    unsigned rows[3][WORD_MAX + 1];
    unsigned *before = rows[0], *last = rows[1], *now = rows[2];
    for (size_t j = 0; j <= b.len; j++)
        last[j] = (unsigned)j;
    for (size_t i = 1; i <= a.len; i++) {
        unsigned least = now[0] = (unsigned)i;
        for (size_t j = 1; j <= b.len; j++) {
            char x = a.p[i - 1], y = b.p[j - 1];
            unsigned d = last[j - 1] + (x != y);
            d = d < last[j] + 1 ? d : last[j] + 1;
            d = d < now[j - 1] + 1 ? d : now[j - 1] + 1;
            if (i > 1 && j > 1 && x == b.p[j - 2] && a.p[i - 2] == y && before[j - 2] + 1 < d)
                d = before[j - 2] + 1;
            now[j] = d;
            least = d < least ? d : least;
        }
        if (least > max)
            return max + 1;
        unsigned *spare = before;
        before = last;
        last = now;
        now = spare;
    }
    return last[b.len] <= max ? last[b.len] : max + 1;
}

struct str conf_nearest(struct str word, const struct str *words, size_t n)
{
    struct str found = { NULL, 0 };
    unsigned best = word.len / 3 < 2 ? (unsigned)(word.len / 3) : 2;
    if (best == 0 || word.len > WORD_MAX)
        return found;
    for (size_t i = 0; i < n; i++) {
        size_t gap = word.len > words[i].len ? word.len - words[i].len : words[i].len - word.len;
        if (words[i].len > WORD_MAX || gap > best)
            continue;
        unsigned d = distance(word, words[i], best);
        /* The first of equally near ones wins: ask only for nearer ones from here on. */
        if (d > best || (found.len && d == best))
            continue;
        found = words[i];
        best = d;
    }
    return found;
}
