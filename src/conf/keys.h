/* conf/keys.h -- the key tables: one row a key, from which reading, checks and
 * docs/configuration.md follow.
 *
 * A section is a mapping of the config (litellm_settings, litellm_params, ...). The rows are in the
 * keys_*.def files:
 *   KEY(name, type, lo, hi, default text, state, place, help)
 *   CHOICE(name, "a|b|c", default text, state, place, help)
 * `lo` and `hi` bound numbers in the unit of the text (seconds for SECONDS, MB for MEGABYTES); 0,
 * 0: any.
 * The default text is read like a text from the file, so that what is documented is what happens;
 * "none": not set.
 * Immutable; thread: any. */
#ifndef CONF_KEYS_H
#define CONF_KEYS_H

#include "base/str.h"

enum key_type {
    KEY_BOOL,      /* bool */
    KEY_FLAG,      /* bool; a list of models is accepted, and is not active yet */
    KEY_INT,       /* int64_t */
    KEY_FLOAT,     /* double */
    KEY_SECONDS,   /* int64_t milliseconds; a number of seconds, or a duration */
    KEY_DURATION,  /* int64_t milliseconds; "30d", or a number of seconds */
    KEY_COST,      /* double; a number, or a text that is one */
    KEY_MEGABYTES, /* uint64_t bytes */
    KEY_BYTES,     /* uint64_t; a number, or "512MiB" */
    KEY_TEXT,      /* struct str */
    KEY_URL,       /* struct str; http:// or https:// */
    KEY_CHOICE,    /* struct str */
    KEY_SECRET,    /* const struct secret *; never quoted in a message */
    KEY_CREDENTIAL, /* const struct secret *: a path, JSON text, or a mapping, which becomes JSON text */
    KEY_TEXTS,      /* const struct str *, size_t: a list of texts, or one */
    KEY_HEADERS, /* const struct conf_header *, size_t: a mapping; values are secret. Adds to what is there. */
    KEY_MEMBERS, /* const struct conf_member *, size_t: a mapping, as JSON */
    KEY_JSON,    /* struct str: any value, as JSON text */
    KEY_VERIFY,  /* int32_t, struct str: a bool, or the path of a CA file */
    KEY_LIST,    /* any list: only checked to be one */
    KEY_MAP,     /* any mapping */
    KEY_ANY,     /* anything */
    KEY_TYPE_COUNT
};

enum key_state {
    KEY_ACTIVE,  /* acts */
    KEY_LATER,   /* read and checked; has no effect yet, which a note says */
    KEY_IGNORED, /* means nothing here; accepted, which a note says */
    KEY_SENT,    /* litellm_params: sent to the provider when the client did not set it */
    KEY_SHOWN,   /* model_info: shown by /model/info */
};

#define KEY_NOWHERE (-1)

struct conf_key {
    struct str name; /* "*": any run of characters */
    enum key_type type;
    enum key_state state;
    double lo, hi;
    struct str def;
    struct str choices; /* KEY_CHOICE: "a|b|c" */
    int place;          /* offset, or KEY_NOWHERE */
    struct str help;
};

enum section_id {
    SECTION_TOP,
    SECTION_MODEL,  /* an entry of model_list */
    SECTION_PARAMS, /* litellm_params */
    SECTION_INFO,   /* model_info */
    SECTION_LITELLM,
    SECTION_ROUTER,
    SECTION_GENERAL,
    SECTION_WEIR,
    SECTION_CREDENTIAL, /* an entry of credential_list */
    SECTION_RETRY,      /* retry_policy */
    SECTION_FAILS,      /* allowed_fails_policy */
    SECTION_PASS,       /* an entry of pass_through_endpoints */
    SECTION_CACHE,      /* cache_params */
    SECTION_GUARDRAIL,  /* an entry of guardrails */
    SECTION_COUNT
};

struct conf_section {
    struct str
        name; /* as in messages and docs: "general_settings", "model_list[].litellm_params" */
    struct str intro; /* a paragraph for the docs */
    const struct conf_key *keys;
    size_t count;
    bool open; /* keys of its own are welcome: unknown ones are not told, unless near a known one */
    bool nested; /* stands inside of another section */
};

const struct conf_section *conf_section(enum section_id id);
size_t conf_key_total(void);

/* Exact names first, then names with stars; NULL: unknown. */
const struct conf_key *conf_key_find(const struct conf_section *s, struct str name);
/* A number of the row, its own among all sections, below conf_key_total(). */
size_t conf_key_number(const struct conf_section *s, const struct conf_key *key);
/* The known key nearest to a misspelt one; NULL: none is near. */
const struct conf_key *conf_key_nearest(const struct conf_section *s, struct str name);
/* Another section at the same level that knows the key; NULL: none. */
const struct conf_section *conf_key_elsewhere(const struct conf_section *s, struct str name);
/* The table for the value of a key (each = false), or for each element or value of it (each =
 * true); NULL: none. */
const struct conf_section *conf_key_nested(const struct conf_section *s, const struct conf_key *key,
                                           bool *ret_each);

/* "true or false", "a whole number from 1 to 10": for messages and docs. */
struct buf;
void conf_key_wants(const struct conf_key *key, struct buf *out);

#endif
