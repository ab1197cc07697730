#include "policy/directory.h"

#include "base/mem.h"

struct directory {
    const struct secret *master;
    struct entry master_entry;
};

struct directory *directory_new(const struct secret *master, const char hash[65])
{
    struct directory *d = MEM_NEW(struct directory);
    d->master = master;
    d->master_entry.role = ROLE_ADMIN;
    d->master_entry.alias = STR("master");
    memcpy(d->master_entry.hash, hash, sizeof d->master_entry.hash);
    return d;
}

void directory_free(struct directory *d)
{
    mem_free(d);
}

const struct entry *directory_find(const struct directory *d, struct str key)
{
    return d->master && secret_eq(d->master, key) ? &d->master_entry : NULL;
}

bool key_is_well_known(struct str key)
{
    static const struct str known[] = {
        STR_INIT("sk-1234"),
        STR_INIT("sk-12345"),
        STR_INIT("sk-123456"),
        STR_INIT("sk-your-litellm-master-key"),
        STR_INIT("sk-your-master-key"),
        STR_INIT("sk-master-key"),
        STR_INIT("sk-test"),
        STR_INIT("sk-demo"),
        STR_INIT("sk-local-demo"),
        STR_INIT("sk-change-me"),
        STR_INIT("sk-changeme"),
        STR_INIT("sk-xxxx"),
        STR_INIT("sk-"),
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (str_eq(key, known[i]))
            return true;
    return false;
}
