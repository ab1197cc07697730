/* What the Messages API checks of a request beside its messages: headers, parameters, tools, schemas. */
#include "mock/anthropic.h"

#define CACHE_MARKS_MAX 4
#define SCHEMA_NODES_MAX 4096
#define SCHEMA_DEPTH_MAX 64

static bool has(yyjson_val *object, const char *name)
{
    yyjson_val *v = yyjson_obj_get(object, name);
    return v && !yyjson_is_null(v);
}

static bool in_words(const char *words, struct str value)
{
    for (struct str rest = str_c(words); rest.len > 0;)
        if (str_eq(str_cut(&rest, ' '), value))
            return true;
    return false;
}

const char *claude_extra(yyjson_val *object, const char *const *names)
{
    yyjson_obj_iter it = yyjson_obj_iter_with(object);
    for (yyjson_val *name; (name = yyjson_obj_iter_next(&it));) {
        size_t i = 0;
        while (names[i] && !yyjson_equals_str(name, names[i]))
            i++;
        if (!names[i])
            return yyjson_get_str(name);
    }
    return NULL;
}

/* -- headers and members */

static bool headers_ok(struct claude *c)
{
    struct str version = request_header(c->rq, STR("anthropic-version"));
    struct str type = request_header(c->rq, STR("content-type"));
    if (!str_starts(type, STR("application/json")))
        return claude_bad(c, "content-type: must be application/json");
    if (c->vertex && (version.len > 0 || request_header(c->rq, STR("x-api-key")).len > 0))
        return claude_bad(c, "anthropic-version, x-api-key: are no headers of this platform");
    if (c->vertex)
        return true;
    if (version.len == 0)
        return claude_bad(c, "anthropic-version: header is required");
    if (!str_eq(version, STR("2023-06-01")))
        return claude_bad(c, "anthropic-version: \"%.*s\" is not a valid version",
                          STR_ARG(version));
    return true;
}

/* Taken with their header alone. */
static bool is_beta(const struct claude *c, struct str name)
{
    static const struct {
        struct str member, beta;
    } rows[] = {
        { STR_INIT("context_management"), STR_INIT("context-management-2025-06-27") },
        { STR_INIT("mcp_servers"), STR_INIT("mcp-client-2025-11-20") },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (str_eq(name, rows[i].member))
            return str_find(request_header(c->rq, STR("anthropic-beta")), rows[i].beta) != STR_NONE;
    return false;
}

static const char *extra_member(struct claude *c, const char *const *names)
{
    yyjson_obj_iter it = yyjson_obj_iter_with(c->rq->json);
    for (yyjson_val *name; (name = yyjson_obj_iter_next(&it));) {
        size_t i = 0;
        while (names[i] && !yyjson_equals_str(name, names[i]))
            i++;
        if (!names[i] && !is_beta(c, str_c(yyjson_get_str(name))))
            return yyjson_get_str(name);
    }
    return NULL;
}

static bool members_ok(struct claude *c)
{
    static const char *const both[] = {
        "max_tokens",  "messages",      "system",   "stop_sequences", "stream",
        "temperature", "top_p",         "top_k",    "tools",          "tool_choice",
        "thinking",    "output_config", "metadata", "cache_control",  "anthropic_version",
        NULL
    };
    static const char *const own[] = { "max_tokens",
                                       "messages",
                                       "system",
                                       "stop_sequences",
                                       "stream",
                                       "temperature",
                                       "top_p",
                                       "top_k",
                                       "tools",
                                       "tool_choice",
                                       "thinking",
                                       "output_config",
                                       "metadata",
                                       "cache_control",
                                       "service_tier",
                                       "inference_geo",
                                       "container",
                                       "model",
                                       NULL };
    /* POST /messages/count_tokens; on Vertex AI the model "count-tokens". */
    static const char *const counted[] = { "model",         "messages",      "system",
                                           "tools",         "tool_choice",   "thinking",
                                           "output_config", "cache_control", NULL };
    static const char *const vertex_counted[] = {
        "anthropic_version", "model",    "messages",      "system",        "tools",
        "tool_choice",       "thinking", "output_config", "cache_control", NULL
    };
    yyjson_val *rq = c->rq->json;
    const char *const *answered = c->vertex ? both : own;
    const char *extra = extra_member(c, !c->count   ? answered
                                        : c->vertex ? vertex_counted
                                                    : counted);
    if (extra)
        return claude_bad(c, "%s: Extra inputs are not permitted", extra);
    if (c->vertex &&
        !yyjson_equals_str(yyjson_obj_get(rq, "anthropic_version"), "vertex-2023-10-16"))
        return claude_bad(c, "anthropic_version: Input should be 'vertex-2023-10-16'");
    if ((!c->vertex || c->count) && c->rq->model.len == 0)
        return claude_bad(c, "model: Field required");
    c->model = claude_model_of(c->rq->model);
    if (!c->model)
        return claude_error(c, 404, "not_found_error", "model: %.*s", STR_ARG(c->rq->model));
    return true;
}

static bool is_bool_or_absent(yyjson_val *object, const char *name)
{
    yyjson_val *v = yyjson_obj_get(object, name);
    return !v || yyjson_is_bool(v);
}

static bool stops_ok(struct claude *c)
{
    yyjson_val *stops = yyjson_obj_get(c->rq->json, "stop_sequences");
    yyjson_arr_iter it = yyjson_arr_iter_with(stops);
    if (stops && !yyjson_is_arr(stops))
        return claude_bad(c, "stop_sequences: Input should be a valid list");
    for (yyjson_val *v; (v = yyjson_arr_iter_next(&it));)
        if (!yyjson_is_str(v) || claude_is_blank(str_c(yyjson_get_str(v))))
            return claude_bad(c, "stop_sequences: each stop sequence must contain non-whitespace");
    return true;
}

static bool params_ok(struct claude *c)
{
    static const char *const user_names[] = { "user_id", NULL };
    yyjson_val *rq = c->rq->json, *limit = yyjson_obj_get(rq, "max_tokens");
    yyjson_val *meta = yyjson_obj_get(rq, "metadata");
    struct str tier = json_text(rq, "service_tier");
    if (c->count)
        return true; /* it takes none of them */
    if (!limit)
        return claude_bad(c, "max_tokens: Field required");
    if (!yyjson_is_uint(limit) || yyjson_get_uint(limit) < 1)
        return claude_bad(c, "max_tokens: Input should be greater than or equal to 1");
    if (yyjson_get_uint(limit) > c->model->max_output)
        return claude_bad(
            c,
            "max_tokens: %llu > %llu, which is the maximum allowed number of output tokens for %.*s",
            (unsigned long long)yyjson_get_uint(limit), (unsigned long long)c->model->max_output,
            STR_ARG(c->model->prefix));
    if (!is_bool_or_absent(rq, "stream"))
        return claude_bad(c, "stream: Input should be a valid boolean");
    if (meta && (!yyjson_is_obj(meta) || claude_extra(meta, user_names) ||
                 json_text(meta, "user_id").len > 256))
        return claude_bad(c, "metadata: only a user_id of up to 256 characters is permitted");
    if (str_find_char(json_text(meta, "user_id"), '@') != STR_NONE)
        return claude_bad(c, "metadata.user_id: user_id appears to contain an email address");
    if (has(rq, "service_tier") && !in_words("auto standard_only", tier))
        return claude_bad(c, "service_tier: Input should be 'auto' or 'standard_only'");
    return stops_ok(c);
}

static bool unit_ok(struct claude *c, const char *name)
{
    yyjson_val *v = yyjson_obj_get(c->rq->json, name);
    if (!v || (yyjson_is_num(v) && yyjson_get_num(v) >= 0 && yyjson_get_num(v) <= 1))
        return true;
    return claude_bad(c, "%s: Input should be from 0 to 1", name);
}

static bool sampling_ok(struct claude *c)
{
    yyjson_val *rq = c->rq->json;
    yyjson_val *t = yyjson_obj_get(rq, "temperature"), *p = yyjson_obj_get(rq, "top_p");
    yyjson_val *k = yyjson_obj_get(rq, "top_k");
    if (!unit_ok(c, "temperature") || !unit_ok(c, "top_p"))
        return false;
    if (k && !yyjson_is_uint(k))
        return claude_bad(c, "top_k: Input should be a valid integer");
    if (t && p)
        return claude_bad(
            c,
            "`temperature` and `top_p` cannot both be specified for this model. Please use only one.");
    if (!c->model->sampling &&
        ((t && yyjson_get_num(t) < 1) || (p && yyjson_get_num(p) < 0.99) || k))
        return claude_bad(c, "`temperature`, `top_p` and `top_k` are not supported by this model.");
    if (c->thinking == CLAUDE_NO)
        return true;
    if (t && yyjson_get_num(t) < 1)
        return claude_bad(c, "`temperature` may only be set to 1 when thinking is enabled.");
    if (k || (p && yyjson_get_num(p) < 0.95))
        return claude_bad(
            c, "`top_k` must be unset and `top_p` at least 0.95 when thinking is enabled.");
    return true;
}

/* -- thinking */

static bool budget_ok(struct claude *c, yyjson_val *budget)
{
    uint64_t limit = yyjson_get_uint(yyjson_obj_get(c->rq->json, "max_tokens"));
    struct str choice = json_text(yyjson_obj_get(c->rq->json, "tool_choice"), "type");
    if (!yyjson_is_uint(budget) || yyjson_get_uint(budget) < 1024)
        return claude_bad(
            c, "thinking.enabled.budget_tokens: Input should be greater than or equal to 1024");
    if (!c->count && yyjson_get_uint(budget) >= limit)
        return claude_bad(c, "`max_tokens` must be greater than `thinking.budget_tokens`.");
    if (in_words("any tool", choice))
        return claude_bad(c, "Thinking may not be enabled when tool_choice forces tool use.");
    return true;
}

static bool thinking_ok(struct claude *c)
{
    static const char *const names[] = { "type", "budget_tokens", "display", NULL };
    yyjson_val *th = yyjson_obj_get(c->rq->json, "thinking"),
               *budget = yyjson_obj_get(th, "budget_tokens");
    struct str type = json_text(th, "type"), display = json_text(th, "display");
    bool enabled = str_eq(type, STR("enabled")), adaptive = str_eq(type, STR("adaptive"));
    c->thinking = c->model->thinks ? CLAUDE_ADAPTIVE : CLAUDE_NO;
    c->shown = str_eq(display, STR("summarized")) || (display.len == 0 && enabled);
    if (!th)
        return true;
    const char *extra = claude_extra(th, names);
    if (!yyjson_is_obj(th) || extra)
        return claude_bad(c, "thinking.%s: Extra inputs are not permitted", extra ? extra : "type");
    if (!in_words("enabled adaptive between_tools disabled", type))
        return claude_bad(c, "thinking: Input tag '%.*s' does not match any of the expected tags",
                          STR_ARG(type));
    if (has(th, "display") && !in_words("summarized omitted", display))
        return claude_bad(c, "thinking.display: Input should be 'summarized' or 'omitted'");
    if (budget && !enabled)
        return claude_bad(c, "thinking.%.*s.budget_tokens: Extra inputs are not permitted",
                          STR_ARG(type));
    if ((enabled && !c->model->manual) || (adaptive && !c->model->adaptive) ||
        (str_eq(type, STR("between_tools")) && !c->model->between) ||
        (str_eq(type, STR("disabled")) && !c->model->disable))
        return claude_bad(c, "thinking.type: \"%.*s\" is not supported by this model",
                          STR_ARG(type));
    c->thinking = enabled ? CLAUDE_MANUAL : adaptive ? CLAUDE_ADAPTIVE : CLAUDE_NO;
    return !enabled || budget_ok(c, budget);
}

/* -- schemas that become grammars */

struct walk {
    yyjson_val *root;
    const char *problem;
    unsigned depth, nodes;
};

static bool walk_all(struct walk *w, yyjson_val *holder);

/* True when a $ref stands in `v`, at any depth. */
static bool refers(yyjson_val *v, unsigned depth)
{
    yyjson_obj_iter members = yyjson_obj_iter_with(v);
    yyjson_arr_iter elements = yyjson_arr_iter_with(v);
    if (has(v, "$ref"))
        return true;
    for (yyjson_val *name; depth < SCHEMA_DEPTH_MAX && (name = yyjson_obj_iter_next(&members));)
        if (refers(yyjson_obj_iter_get_val(name), depth + 1))
            return true;
    for (yyjson_val *one; depth < SCHEMA_DEPTH_MAX && (one = yyjson_arr_iter_next(&elements));)
        if (refers(one, depth + 1))
            return true;
    return false;
}

static bool walk_schema(struct walk *w, yyjson_val *schema)
{
    static const char *const known[] = {
        "type",        "properties", "required", "items",    "enum",        "const",
        "anyOf",       "allOf",      "$ref",     "$defs",    "definitions", "default",
        "description", "title",      "format",   "minItems", "pattern",     "additionalProperties",
        "$schema",     NULL
    };
    const char *ref = yyjson_get_str(yyjson_obj_get(schema, "$ref"));
    yyjson_val *more = yyjson_obj_get(schema, "additionalProperties");
    bool object = yyjson_equals_str(yyjson_obj_get(schema, "type"), "object");
    w->problem = "Schema is too complex";
    if (++w->nodes > SCHEMA_NODES_MAX)
        return false;
    w->problem = "Circular reference detected in schema definitions";
    if (w->depth > SCHEMA_DEPTH_MAX)
        return false;
    w->problem = "a keyword is not supported";
    if (!yyjson_is_obj(schema) || claude_extra(schema, known))
        return false;
    w->problem = "'$ref' is not supported inside 'allOf'";
    if (refers(yyjson_obj_get(schema, "allOf"), 0))
        return false;
    w->problem = "For 'object' type, 'additionalProperties' must be explicitly set to false";
    if ((object && !yyjson_is_false(more)) || (more && !yyjson_is_false(more)))
        return false;
    w->depth++;
    bool ok = true;
    if (ref) {
        yyjson_val *to = ref[0] == '#' && ref[1] ? yyjson_ptr_get(w->root, ref + 1) : NULL;
        w->problem = "Circular reference detected in schema definitions";
        ok = to && walk_schema(w, to);
    }
    ok = ok && walk_all(w, yyjson_obj_get(schema, "properties")) &&
         walk_all(w, yyjson_obj_get(schema, "anyOf")) &&
         walk_all(w, yyjson_obj_get(schema, "allOf"));
    if (ok && yyjson_obj_get(schema, "items"))
        ok = walk_schema(w, yyjson_obj_get(schema, "items"));
    w->depth--;
    return ok;
}

static bool walk_all(struct walk *w, yyjson_val *holder)
{
    yyjson_obj_iter members = yyjson_obj_iter_with(holder);
    for (yyjson_val *name; (name = yyjson_obj_iter_next(&members));)
        if (!walk_schema(w, yyjson_obj_iter_get_val(name)))
            return false;
    yyjson_arr_iter elements = yyjson_arr_iter_with(holder);
    for (yyjson_val *one; (one = yyjson_arr_iter_next(&elements));)
        if (!walk_schema(w, one))
            return false;
    return true;
}

static bool grammar_ok(struct claude *c, const char *where, yyjson_val *schema)
{
    struct walk w = { .root = schema };
    return walk_schema(&w, schema) || claude_bad(c, "%s: %s", where, w.problem);
}

static bool output_ok(struct claude *c)
{
    static const char *const names[] = { "effort", "format", NULL }, *const format_names[] = {
        "type", "schema", NULL
    };
    yyjson_val *out = yyjson_obj_get(c->rq->json, "output_config"),
               *format = yyjson_obj_get(out, "format");
    struct str effort = json_text(out, "effort");
    const char *extra = claude_extra(out, names);
    if (!out)
        return true;
    if (!yyjson_is_obj(out) || extra)
        return claude_bad(c, "output_config.%s: Extra inputs are not permitted",
                          extra ? extra : "format");
    if (has(out, "effort") && !c->model->efforts)
        return claude_bad(c, "This model does not support the effort parameter.");
    if (has(out, "effort") && !in_words(c->model->efforts, effort))
        return claude_bad(c, "output_config.effort: this model takes: %s", c->model->efforts);
    if (!format)
        return true;
    if (!c->model->native)
        return claude_bad(c,
                          "output_config.format: this model does not support structured outputs");
    extra = claude_extra(format, format_names);
    if (!str_eq(json_text(format, "type"), STR("json_schema")) || extra)
        return claude_bad(c, "output_config.format: %s is not permitted",
                          extra ? extra : "its type");
    return grammar_ok(c, "output_config.format.schema", yyjson_obj_get(format, "schema"));
}

/* -- tools */

static bool name_ok(struct str name)
{
    for (size_t i = 0; i < name.len; i++) {
        char ch = ascii_lower(name.p[i]);
        if (!((ch >= 'a' && ch <= 'z') || (ch >= '0' && ch <= '9') || ch == '_' || ch == '-'))
            return false;
    }
    return name.len > 0 && name.len <= 64;
}

static bool server_tool_ok(struct claude *c, yyjson_val *tool, struct str type)
{
    static const char *const names[] = {
        "type",          "name",          "max_uses", "allowed_domains", "blocked_domains",
        "user_location", "cache_control", NULL
    };
    if (!str_eq(type, STR("web_search_20250305")))
        return claude_bad(c, "tools: Input tag '%.*s' does not match any of the expected tags",
                          STR_ARG(type));
    const char *extra = claude_extra(tool, names);
    if (extra)
        return claude_bad(c, "tools.web_search.%s: Extra inputs are not permitted", extra);
    yyjson_val *place = yyjson_obj_get(tool, "user_location");
    if (!str_eq(json_text(tool, "name"), STR("web_search")))
        return claude_bad(c, "tools.web_search.name: Input should be 'web_search'");
    if (place && !str_eq(json_text(place, "type"), STR("approximate")))
        return claude_bad(c, "tools.web_search.user_location.type: Input should be 'approximate'");
    return true;
}

static bool tool_ok(struct claude *c, yyjson_val *tool, size_t i)
{
    static const char *const names[] = { "type",
                                         "name",
                                         "description",
                                         "input_schema",
                                         "strict",
                                         "input_examples",
                                         "cache_control",
                                         "eager_input_streaming",
                                         "defer_loading",
                                         "allowed_callers",
                                         NULL };
    yyjson_val *schema = yyjson_obj_get(tool, "input_schema");
    struct str type = json_text(tool, "type"), name = json_text(tool, "name");
    if (type.len > 0 && !str_eq(type, STR("custom")))
        return server_tool_ok(c, tool, type);
    const char *extra = claude_extra(tool, names);
    if (extra)
        return claude_bad(c, "tools.%zu.custom.%s: Extra inputs are not permitted", i, extra);
    if (!name_ok(name))
        return claude_bad(
            c, "tools.%zu.custom.name: String should match pattern '^[a-zA-Z0-9_-]{1,64}$'", i);
    if (!yyjson_is_obj(schema) || !str_eq(json_text(schema, "type"), STR("object")))
        return claude_bad(c, "tools.%zu.custom.input_schema.type: Input should be 'object'", i);
    if (has(schema, "oneOf") || has(schema, "anyOf") || has(schema, "allOf"))
        return claude_bad(
            c,
            "tools.%zu.custom.input_schema: input_schema does not support oneOf, allOf, or anyOf at the "
            "top level",
            i);
    if (!is_bool_or_absent(tool, "strict"))
        return claude_bad(c, "tools.%zu.custom.strict: Input should be a valid boolean", i);
    return !yyjson_is_true(yyjson_obj_get(tool, "strict")) ||
           grammar_ok(c, "tools.custom.input_schema", schema);
}

static bool named(yyjson_val *tools, struct str name, size_t before)
{
    for (size_t i = 0; i < before; i++)
        if (str_eq(json_text(yyjson_arr_get(tools, i), "name"), name))
            return true;
    return false;
}

static bool tools_ok(struct claude *c)
{
    yyjson_val *tools = yyjson_obj_get(c->rq->json, "tools");
    size_t n = yyjson_arr_size(tools);
    if (tools && (!yyjson_is_arr(tools) || n == 0))
        return claude_bad(c, "tools: List should have at least 1 item after validation");
    for (size_t i = 0; i < n; i++) {
        if (!tool_ok(c, yyjson_arr_get(tools, i), i))
            return false;
        if (named(tools, json_text(yyjson_arr_get(tools, i), "name"), i))
            return claude_bad(c, "tools: Tool names must be unique.");
    }
    return true;
}

static bool choice_ok(struct claude *c)
{
    static const char *const names[] = { "type", "name", "disable_parallel_tool_use", NULL };
    yyjson_val *choice = yyjson_obj_get(c->rq->json, "tool_choice"),
               *tools = yyjson_obj_get(c->rq->json, "tools");
    struct str type = json_text(choice, "type"), name = json_text(choice, "name");
    if (!choice)
        return true;
    const char *extra = claude_extra(choice, names);
    if (!tools)
        return claude_bad(c, "tool_choice: may only be specified while providing tools");
    if (extra || !in_words("auto any tool none", type))
        return claude_bad(c, "tool_choice.%s: is not permitted", extra ? extra : "type");
    if (str_eq(type, STR("none")) && has(choice, "disable_parallel_tool_use"))
        return claude_bad(
            c, "tool_choice.none.disable_parallel_tool_use: Extra inputs are not permitted");
    if (!is_bool_or_absent(choice, "disable_parallel_tool_use"))
        return claude_bad(c,
                          "tool_choice.disable_parallel_tool_use: Input should be a valid boolean");
    if (str_eq(type, STR("tool")) != (name.len > 0))
        return claude_bad(c, "tool_choice.name: belongs to the type 'tool', and to it alone");
    if (name.len > 0 && !named(tools, name, yyjson_arr_size(tools)))
        return claude_bad(c, "tool_choice.tool.name: Tool '%.*s' not found in provided tools",
                          STR_ARG(name));
    return true;
}

/* -- cache marks */

static unsigned marks(yyjson_val *v, unsigned depth)
{
    unsigned n = 0;
    yyjson_arr_iter elements = yyjson_arr_iter_with(v);
    for (yyjson_val *e; depth < 8 && (e = yyjson_arr_iter_next(&elements));)
        n += marks(e, depth + 1);
    if (!yyjson_is_obj(v))
        return n;
    n += has(v, "cache_control");
    static const char *const inside[] = { "system", "messages", "tools", "content" };
    for (size_t i = 0; i < 4; i++)
        n += marks(yyjson_obj_get(v, inside[i]), depth + 1);
    return n;
}

static bool mark_ok(yyjson_val *mark)
{
    static const char *const names[] = { "type", "ttl", NULL };
    if (!mark || yyjson_is_null(mark))
        return true;
    return yyjson_is_obj(mark) && !claude_extra(mark, names) &&
           str_eq(json_text(mark, "type"), STR("ephemeral")) &&
           (!has(mark, "ttl") || in_words("5m 1h", json_text(mark, "ttl")));
}

static bool marks_ok(yyjson_val *v, unsigned depth)
{
    static const char *const inside[] = { "system", "messages", "tools", "content" };
    yyjson_arr_iter elements = yyjson_arr_iter_with(v);
    for (yyjson_val *e; depth < 8 && (e = yyjson_arr_iter_next(&elements));)
        if (!marks_ok(e, depth + 1))
            return false;
    bool ok = mark_ok(yyjson_obj_get(v, "cache_control"));
    for (size_t i = 0; ok && depth < 8 && i < 4; i++)
        ok = marks_ok(yyjson_obj_get(v, inside[i]), depth + 1);
    return ok;
}

bool claude_request_ok(struct claude *c)
{
    if (!c->rq->json)
        return claude_bad(c, "The request body is not valid JSON");
    if (!headers_ok(c) || !members_ok(c) || !params_ok(c) || !thinking_ok(c) || !sampling_ok(c) ||
        !output_ok(c) || !tools_ok(c) || !choice_ok(c))
        return false;
    if (!marks_ok(c->rq->json, 0))
        return claude_bad(
            c, "cache_control: Input should be {'type': 'ephemeral'}, with a ttl of '5m' or '1h'");
    if (marks(c->rq->json, 0) > CACHE_MARKS_MAX)
        return claude_bad(c, "A maximum of 4 blocks with cache_control may be provided.");
    return claude_messages_ok(c);
}
