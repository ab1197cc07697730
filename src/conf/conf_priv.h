/* conf/conf_priv.h -- shared by the files of this folder: the state of one conf_load, and how
 * problems are told.
 *
 *   load.c        order of the work, environment_variables, master key
 *   include.c     files -> merged sections   alias.c   model_alias_map, model_group_alias
 *   tree.c        YAML -> nodes              scalar.c  text -> typed values
 *   section.c     a map against its key table, unknown and inactive keys
 *   value.c       one node -> one field      json.c    one node -> JSON text
 *   deployment.c  an entry of model_list     diag.c    problems, nearest words */
#ifndef CONF_CONF_PRIV_H
#define CONF_CONF_PRIV_H

#include "base/buf.h"
#include "base/hash.h"
#include "conf/conf.h"
#include "conf/keys.h"
#include "conf/tree.h"

#define CONF_TEXT_MAX ((size_t)16 << 20) /* of one JSON text made here */
#define CONF_ENV_PREFIX STR("os.environ/")

/* Where a value stands, for messages: model_list[2].litellm_params.api_key. Links live on the
 * stack. */
struct conf_path {
    const struct conf_path *up;
    struct str name; /* empty: an index */
    size_t index;
};

static inline struct conf_path path_name(const struct conf_path *up, struct str name)
{
    return (struct conf_path){ .up = up, .name = name };
}

static inline struct conf_path path_index(const struct conf_path *up, size_t index)
{
    return (struct conf_path){ .up = up, .index = index };
}

struct owned_secret {
    struct owned_secret *next;
    struct secret *secret;
    bool sk; /* begins with sk-, as a master key should */
};

/* What conf_load returns is the first member of this. */
struct conf_box {
    struct conf conf;
    struct owned_secret *secrets;
    struct conf_header *env; /* environment_variables, in order */
    size_t env_count;
    struct map env_by_name; /* -> struct conf_header */
    const struct secret *litellm_master_key;
};

struct loader {
    const struct conf_source *src;
    struct conf_box *box;
    struct arena *arena;   /* the conf's */
    struct arena *scratch; /* tree, texts that may be secret; gone after the load */
    struct conf_diags *diags;
    struct arena *diag_arena;
    bool fatal;
    bool inactive; /* the key at hand has no effect: what is wrong with it is a warning */
    struct conf_deployment *deployment; /* not NULL: what is wrong is this one's problem */
    bool *noted;                        /* a row a key: it was told once that it is not active */
    struct conf_budget budget;
    const struct conf_node *credentials; /* credential_list, or NULL */
    /* the merged sections */
    struct conf_pair *sections;
    size_t section_count, section_room;
    struct str *files;
    size_t file_count;
};

/* diag.c */
#define CONF_DIAGS_MAX 1000 /* then one line says that there are more */

void diag_add(struct conf_diags *d, struct arena *a, enum conf_level level, struct str file,
              unsigned line, const char *fmt, ...) __attribute__((format(printf, 6, 7)));
/* By file in the order given, then line; equal ones keep their order. */
void diags_sort(struct conf_diags *d, const struct str *files, size_t file_count);

void tell(struct loader *l, enum conf_level level, const struct conf_node *at, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
/* A value that cannot be used: an error that stops the start, or the deployment's problem, or a
 * warning, by where we are. */
void bad(struct loader *l, const struct conf_node *at, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* The same for a variable that is not set. */
void bad_env(struct loader *l, const struct conf_node *at, const struct conf_path *path,
             struct str variable);

/* "router_settings.timeout" in the scratch arena. */
struct str path_text(struct loader *l, const struct conf_path *path);
/* A word from the file for a message: cut at 64 bytes, and at "sk-" (a key in the wrong place). */
struct str shown(struct arena *a, struct str word);

/* value.c */

/* The text of a scalar, os.environ/NAME replaced. It lives as long as the scratch arena. False:
 * told. */
bool value_text(struct loader *l, const struct conf_node *n, const struct conf_path *path,
                struct str *ret_text, bool *ret_from_env);
/* Reads `n` as the key's type into `base` + the key's offset (nowhere: only checks). False: told,
 * field untouched. */
bool value_read(struct loader *l, const struct conf_key *key, const struct conf_node *n,
                const struct conf_path *path, void *base);
/* A value that becomes part of a request's head, or of a message's place, is one line. False: told.
 * */
bool value_one_line(struct loader *l, const struct conf_node *n, const struct conf_path *path,
                    struct str text);
/* "a list", "the text \"abc\"" ..., never the value of a secret. */
struct str value_found(struct loader *l, const struct conf_key *key, const struct conf_node *n);
bool is_env_ref(struct str text);

/* section.c */

/* Checks every key of `map` against the section's table and reads the ones that have a place in
 * `base`. */
void section_read(struct loader *l, const struct conf_section *section, const struct conf_node *map,
                  const struct conf_path *path, void *base);
/* One key of it. */
void section_read_key(struct loader *l, const struct conf_section *section,
                      const struct conf_key *key, const struct conf_pair *pair,
                      const struct conf_path *path, void *base);
void section_unknown(struct loader *l, const struct conf_section *section,
                     const struct conf_pair *pair, const struct conf_path *path);
/* Fills `base` with the defaults of the table. */
void section_defaults(struct loader *l, const struct conf_section *section, void *base);

/* json.c */
enum json_flags {
    JSON_QUIET = 1,    /* a missing variable is null and not told */
    JSON_AS_IS = 2,    /* os.environ/NAME stays, keys are sorted: for the id */
    JSON_MASKED = 4,   /* values whose key looks secret, and the credentials in URLs, are "*****" */
    JSON_HIDE_ENV = 8, /* so are values that come from a variable */
};
/* False: told (a number that JSON cannot say, a missing variable). */
bool json_of(struct loader *l, const struct conf_node *n, const struct conf_path *path,
             unsigned flags, struct buf *out);
/* The same, into the conf's arena; the empty slice on failure. */
struct str json_text(struct loader *l, const struct conf_node *n, const struct conf_path *path,
                     unsigned flags);
bool looks_secret(struct str key);
/* As a JSON text, user and password of the URL hidden: scheme, five stars, @host. */
void json_masked_url(struct str url, struct buf *out);

/* include.c: reads `path` and all that it includes into l->sections. False: told, and there is
 * nothing to go on with;
 * after problems with an included file the rest is still looked at. */
bool files_read(struct loader *l, struct str path);

/* deployment.c */
void deployments_read(struct loader *l, const struct conf_node *list);

/* load.c */
/* Takes what is used a second time from the budget, so that work stays in proportion to the file.
 * False: told. */
bool load_spend(struct loader *l, const struct conf_node *n, const struct conf_node *at);
const struct secret *own_secret(struct loader *l, struct str bytes);
const struct conf_node *load_section(const struct loader *l, struct str name);

/* alias.c */
/* Without `check`, aliases of models that do not exist are not told. */
void aliases_read(struct loader *l, bool check);
/* keys.c */
/* `name` fits a name with stars: "openai/" and anything. */
bool wildcard_match(struct str pattern, struct str name);

#endif
