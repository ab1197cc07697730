/* policy/directory.h -- who a key belongs to and what it may do.
 *
 * Today it knows one key, the master key; virtual keys join it here, behind the same look-up. Immutable after it is made; part
 * of the snapshot. Thread: any. */
#ifndef POLICY_DIRECTORY_H
#define POLICY_DIRECTORY_H

#include "base/secret.h"
#include "base/str.h"

enum role { ROLE_PUBLIC, ROLE_USER, ROLE_ADMIN };

struct entry {
    enum role role;
    char hash
        [65]; /* lower-case hex SHA-256 of the key: the only name by which a key is logged or stored */
    struct str alias;
};

struct directory;

/* `master` is borrowed for the life of the directory; `hash` is its SHA-256 in hex. */
struct directory *directory_new(const struct secret *master, const char hash[65]);
void directory_free(struct directory *d);

/* The entry of a key, or NULL. Compares in constant time. The entry lives as long as the directory. */
const struct entry *directory_find(const struct directory *d, struct str key);

/* Keys that guides and examples print: a server that uses one listens on loopback only. */
bool key_is_well_known(struct str key);

#endif
