/* docs/configuration.md, from the key tables. */
#include "conf/conf_priv.h"

static const char intro[] =
    "# Configuration\n"
    "\n"
    "<!-- Made from the key tables in src/conf/keys_*.def. Change those, not this file. -->\n"
    "\n"
    "weir reads LiteLLM's `config.yaml` as it is. `weir check config.yaml` tells every problem with its file and line.\n"
    "\n"
    "- An **error** outside of `model_list` keeps weir from starting, or from taking over a reloaded file.\n"
    "- An **error** in an entry of `model_list` is that deployment's alone: requests to it are refused with the reason,\n"
    "  everything else is served.\n"
    "- A **warning** names what is probably a mistake, such as a key that does not exist.\n"
    "- A **note** names what this version reads and does not act on.\n"
    "\n"
    "```yaml\n"
    "model_list:\n"
    "  - model_name: gpt-4.1\n"
    "    litellm_params:\n"
    "      model: openai/gpt-4.1\n"
    "      api_key: os.environ/OPENAI_API_KEY\n"
    "  - model_name: \"claude-*\"\n"
    "    litellm_params:\n"
    "      model: \"anthropic/claude-*\"\n"
    "      api_key: os.environ/ANTHROPIC_API_KEY\n"
    "general_settings:\n"
    "  master_key: os.environ/LITELLM_MASTER_KEY\n"
    "```\n"
    "\n"
    "## Values\n"
    "\n"
    "- **os.environ/NAME**: any text of this form is replaced by the variable: first from `environment_variables`, then\n"
    "  from the environment. A variable that is not set is an error of the key that names it. It is also understood for\n"
    "  numbers and flags, in lists and in mappings.\n"
    "- **Flags** are `true` and `false`, or `yes`, `no`, `on`, `off`, `1`, `0`.\n"
    "- **Seconds** are numbers (`600`, `0.5`) or durations.\n"
    "- **Durations** are a whole number and a unit: `30s`, `5m`, `1h`, `7d`, `1w`, `1mo` (30 days).\n"
    "- **Prices** are dollars, as numbers or texts (`3e-7`, `\"3e-7\"`).\n"
    "- **null**, or nothing behind the `:`, is the same as leaving the key out.\n"
    "- Where a parameter is sent on to a provider, a text without quotes is typed as YAML 1.1 types it: `yes` is true,\n"
    "  `0x10` is 16, `\"10\"` is a text. Two differences from PyYAML: `1e-7` is a number, `1:30` is a text.\n"
    "\n"
    "Anchors, aliases and merge keys (`<<: *name`) are understood; sections whose name begins with `x-` are left alone, as\n"
    "a place for anchors. The file is one document in UTF-8 of at most 8 MiB,\n"
    "with at most 100,000 values (aliases counted in full) and 64 levels. A key that stands twice in a mapping is an error.\n"
    "\n"
    "## How sections merge\n"
    "\n"
    "`include` names further files, relative to the file that names them; included files may include others, 64 in all.\n"
    "Lists are appended in the order of reading. Mappings are united; where both set a key, the included file's value\n"
    "counts, and a warning says so.\n"
    "\n"
    "Some keys stand in two sections: `router_settings` wins over `litellm_settings`. The master key is taken from\n"
    "`general_settings.master_key`, else from the variable `LITELLM_MASTER_KEY`, else from `litellm_settings.master_key`.\n"
    "A deployment's own key wins over both, and over the credential that `litellm_credential_name` names.\n"
    "\n"
    "## Names and addresses of models\n"
    "\n"
    "Entries of `model_list` with the same `model_name` are one group. A request's model is looked up in\n"
    "`litellm_settings.model_alias_map`, then in `router_settings.model_group_alias`, then among the names, the names with\n"
    "stars (the most specific one counts), and the deployments' ids. A name or model that begins with a star must be in\n"
    "quotes: `\"*\"`.\n"
    "\n"
    "A deployment's id is `model_info.id`; when it is not set, the SHA-256 of its `model_name` and `litellm_params` as\n"
    "written. It does not change when other entries do, or when a variable's value does. A second entry of the same id\n"
    "gets `-2` behind it.\n"
    "\n"
    "## Keys\n"
    "\n"
    "The column *state*: **active** keys act. **later** keys are read and checked, and do not act yet; a note says so when\n"
    "one is set to something else than its default. **no effect** keys are accepted for the sake of existing files.\n"
    "**sent** keys are parameters of requests: they are sent when the client did not set them. **shown** keys are\n"
    "reported by `/model/info`. A `*` in a name stands for any characters.\n";

static void put_cell(struct buf *out, struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (s.p[i] == '|' || s.p[i] == '*')
            buf_putc(out, '\\');
        buf_putc(out, s.p[i]);
    }
}

static void put_row(const struct conf_key *key, struct buf *out)
{
    static const char *const states[] = { [KEY_ACTIVE] = "active",
                                          [KEY_LATER] = "later",
                                          [KEY_IGNORED] = "no effect",
                                          [KEY_SENT] = "sent",
                                          [KEY_SHOWN] = "shown" };
    buf_printf(out, "| `%.*s` | ", STR_ARG(key->name));
    conf_key_wants(key, out);
    buf_putz(out, " | ");
    if (!str_eq(key->def, STR("none")))
        buf_printf(out, "`%.*s`", STR_ARG(key->def));
    buf_printf(out, " | %s | ", states[key->state]);
    put_cell(out, key->help);
    buf_putz(out, " |\n");
}

static void put_section(const struct conf_section *s, struct buf *out)
{
    if (s->name.len)
        buf_printf(out, "\n### %.*s\n\n%.*s\n", STR_ARG(s->name), STR_ARG(s->intro));
    else
        buf_printf(out, "\n### Top level\n\n%.*s\n", STR_ARG(s->intro));
    buf_putz(out, "\n| key | value | default | state | meaning |\n|---|---|---|---|---|\n");
    for (size_t i = 0; i < s->count; i++)
        put_row(&s->keys[i], out);
}

void conf_write_docs(struct buf *out)
{
    buf_putz(out, intro);
    for (int id = 0; id < SECTION_COUNT; id++)
        put_section(conf_section((enum section_id)id), out);
}
