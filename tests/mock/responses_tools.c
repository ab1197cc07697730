/* Tools, the choice among them, and text formats of the Responses API: flat, where chat completions nest. */
#include "mock/responses.h"

static const struct tool {
    const char *type, *members, *required;
} tools[] = {
    { "function",
      "type name description parameters strict output_schema defer_loading allowed_callers",
      "name parameters" },
    { "custom", "type name description format defer_loading allowed_callers", "name" },
    { "web_search", "type filters user_location search_context_size external_web_access", "" },
    { "web_search_2025_08_26", "type filters user_location search_context_size external_web_access",
      "" },
    { "web_search_preview", "type user_location search_context_size search_content_types", "" },
    { "web_search_preview_2025_03_11",
      "type user_location search_context_size search_content_types", "" },
    { "file_search", "type vector_store_ids max_num_results ranking_options filters",
      "vector_store_ids" },
    { "code_interpreter", "type container allowed_callers", "container" },
    { "computer", "type", "" },
    { "computer_use_preview", "type environment display_width display_height",
      "environment display_width display_height" },
    { "image_generation",
      "type model quality size output_format output_compression moderation background "
      "input_fidelity input_image_mask partial_images action",
      "" },
    { "mcp",
      "type server_label server_url connector_id tunnel_id authorization headers allowed_tools "
      "require_approval server_description defer_loading allowed_callers",
      "server_label" },
    { "shell", "type environment allowed_callers", "" },
    { "local_shell", "type", "" },
    { "apply_patch", "type allowed_callers", "" },
    { "tool_search", "type execution description parameters", "" },
    { "programmatic_tool_calling", "type", "" },
    { "namespace", "type name description tools", "name tools" },
};

static bool name_ok(struct rsp *r, struct str name, struct str where)
{
    bool good = true;
    for (size_t i = 0; i < name.len; i++) {
        char c = ascii_lower(name.p[i]);
        good &= (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
    }
    if (!good || name.len == 0)
        return rsp_bad(r, where, "invalid_value",
                       "Invalid '%.*s': string does not match pattern. Expected a string that "
                       "matches the pattern '^[a-zA-Z0-9_-]+$'.",
                       STR_ARG(where));
    if (name.len > 128)
        return rsp_bad(r, where, "string_above_max_length",
                       "Invalid '%.*s': string too long. Expected a string with maximum length "
                       "128, but got a string with length %zu instead.",
                       STR_ARG(where), name.len);
    return true;
}

/* -- schemas that the model is held to */

static bool names_all(yyjson_val *required, yyjson_val *properties)
{
    yyjson_obj_iter it = yyjson_obj_iter_with(properties);
    for (yyjson_val *name; (name = yyjson_obj_iter_next(&it));) {
        bool found = false;
        for (size_t i = 0; i < yyjson_arr_size(required); i++)
            found |= yyjson_equals(yyjson_arr_get(required, i), name);
        if (!found)
            return false;
    }
    return true;
}

/* NULL, or what a strict schema lacks: each object is closed, and requires all that it has. */
static const char *strict_problem(yyjson_val *schema, unsigned depth)
{
    static const char *const inside[] = { "items", "additionalProperties" };
    static const char *const maps[] = { "properties", "$defs", "definitions" };
    const char *problem = NULL;
    yyjson_val *properties = yyjson_obj_get(schema, "properties");
    yyjson_val *any = yyjson_obj_get(schema, "anyOf");
    if (!yyjson_is_obj(schema))
        return NULL;
    if (depth > 10)
        return "it is nested too deeply";
    if (properties || yyjson_equals_str(yyjson_obj_get(schema, "type"), "object")) {
        if (!yyjson_is_false(yyjson_obj_get(schema, "additionalProperties")))
            return "'additionalProperties' is required to be supplied and to be false";
        if (!names_all(yyjson_obj_get(schema, "required"), properties))
            return "'required' is required to be supplied and to be an array including every key "
                   "in properties";
    }
    if (yyjson_obj_get(schema, "oneOf") || yyjson_obj_get(schema, "allOf"))
        return "'oneOf' is not permitted";
    for (size_t i = 0; i < 2 && !problem; i++)
        problem = strict_problem(yyjson_obj_get(schema, inside[i]), depth + 1);
    for (size_t i = 0; i < yyjson_arr_size(any) && !problem; i++)
        problem = strict_problem(yyjson_arr_get(any, i), depth + 1);
    for (size_t i = 0; i < 3 && !problem; i++) {
        yyjson_obj_iter it = yyjson_obj_iter_with(yyjson_obj_get(schema, maps[i]));
        for (yyjson_val *name; !problem && (name = yyjson_obj_iter_next(&it));)
            problem = strict_problem(yyjson_obj_iter_get_val(name), depth + 1);
    }
    return problem;
}

static bool strict_ok(struct rsp *r, yyjson_val *schema, struct str where, const char *code,
                      struct str name)
{
    const char *problem = strict_problem(schema, 0);
    if (!problem && yyjson_is_obj(schema) &&
        !yyjson_equals_str(yyjson_obj_get(schema, "type"), "object"))
        problem = "schema must be a JSON Schema of 'type: \"object\"'";
    if (!problem)
        return true;
    return rsp_bad(r, where, code, "Invalid schema for %s '%.*s': In context=(), %s.",
                   str_eq(where, STR("text.format.schema")) ? "response_format" : "function",
                   STR_ARG(name), problem);
}

/* -- tools */

static bool required_ok(struct rsp *r, yyjson_val *object, const char *names, struct str where)
{
    struct str rest = str_c(names);
    while (rest.len > 0) {
        struct str name = str_cut(&rest, ' ');
        if (!yyjson_obj_getn(object, name.p, name.len))
            return rsp_missing(r, rsp_path(r, "%.*s.%.*s", STR_ARG(where), STR_ARG(name)));
    }
    return true;
}

static bool function_ok(struct rsp *r, yyjson_val *tool, struct str where)
{
    yyjson_val *parameters = yyjson_obj_get(tool, "parameters");
    struct str at = rsp_path(r, "%.*s.parameters", STR_ARG(where)), name = json_text(tool, "name");
    if (!yyjson_is_obj(parameters) && !yyjson_is_null(parameters))
        return rsp_bad(r, at, "invalid_type",
                       "Invalid type for '%.*s': expected an object, or null.", STR_ARG(at));
    if (yyjson_is_obj(parameters) && rsp_has(parameters, "type") &&
        !yyjson_equals_str(yyjson_obj_get(parameters, "type"), "object"))
        return rsp_bad(r, at, "invalid_function_parameters",
                       "Invalid schema for function '%.*s': schema must be a JSON Schema of "
                       "'type: \"object\"'.",
                       STR_ARG(name));
    return !yyjson_is_true(yyjson_obj_get(tool, "strict")) ||
           strict_ok(r, parameters, at, "invalid_function_parameters", name);
}

static bool tool_ok(struct rsp *r, yyjson_val *tool, struct str where)
{
    struct str type = json_text(tool, "type");
    const struct tool *t = NULL;
    for (size_t i = 0; i < sizeof(tools) / sizeof(tools[0]); i++)
        if (str_eq(str_c(tools[i].type), type))
            t = &tools[i];
    if (type.len == 0)
        return rsp_missing(r, rsp_path(r, "%.*s.type", STR_ARG(where)));
    if (!t)
        return rsp_bad(r, where, "invalid_value",
                       "Invalid value: '%.*s'. Supported values are: 'function', 'custom', "
                       "'web_search', 'file_search', and others.",
                       STR_ARG(type));
    if (!required_ok(r, tool, t->required, where) || !rsp_members_ok(r, tool, t->members, where))
        return false;
    if (rsp_word_in(t->required, STR("name")) &&
        !name_ok(r, json_text(tool, "name"), rsp_path(r, "%.*s.name", STR_ARG(where))))
        return false;
    return !str_eq(type, STR("function")) || function_ok(r, tool, where);
}

/* A tool of the request that a choice names. */
static bool choice_known(yyjson_val *list, yyjson_val *choice)
{
    struct str type = json_text(choice, "type"), name = json_text(choice, "name");
    for (size_t i = 0; i < yyjson_arr_size(list); i++) {
        yyjson_val *tool = yyjson_arr_get(list, i);
        if (str_eq(json_text(tool, "type"), type) &&
            (name.len == 0 || str_eq(json_text(tool, "name"), name) || str_eq(type, STR("mcp"))))
            return true;
    }
    return false;
}

static bool choice_ok(struct rsp *r, yyjson_val *list)
{
    yyjson_val *choice = yyjson_obj_get(r->rq->json, "tool_choice"), *named;
    struct str word = json_text(r->rq->json, "tool_choice"), type = json_text(choice, "type");
    if (!choice || yyjson_is_null(choice))
        return true;
    if (yyjson_is_str(choice)) {
        if (!rsp_word_in("none auto required", word))
            return rsp_bad(r, STR("tool_choice"), "invalid_value",
                           "Invalid value: '%.*s'. Supported values are: 'none', 'auto', and "
                           "'required'.",
                           STR_ARG(word));
        return !str_eq(word, STR("required")) || yyjson_arr_size(list) > 0 ||
               rsp_bad(r, STR("tool_choice"), NULL,
                       "Tool choice 'required' must be specified with 'tools' parameter.");
    }
    if (!rsp_members_ok(r, choice,
                        str_eq(type, STR("allowed_tools")) ? "type mode tools"
                                                           : "type name server_label",
                        STR("tool_choice")))
        return false;
    if (rsp_word_in("function custom", type) && json_text(choice, "name").len == 0)
        return rsp_missing(r, STR("tool_choice.name"));
    yyjson_val *allowed = yyjson_obj_get(choice, "tools");
    size_t n = str_eq(type, STR("allowed_tools")) ? yyjson_arr_size(allowed) : 1;
    for (size_t i = 0; i < n; i++) {
        named = allowed ? yyjson_arr_get(allowed, i) : choice;
        if (!choice_known(list, named))
            return rsp_bad(r, STR("tool_choice"), NULL,
                           "Tool choice '%.*s' not found in 'tools' parameter.",
                           STR_ARG(json_text(named, rsp_has(named, "name") ? "name" : "type")));
    }
    return true;
}

bool rsp_tools_ok(struct rsp *r)
{
    yyjson_val *list = yyjson_obj_get(r->rq->json, "tools");
    for (size_t i = 0; i < yyjson_arr_size(list); i++)
        if (!tool_ok(r, yyjson_arr_get(list, i), rsp_path(r, "tools[%zu]", i)))
            return false;
    return choice_ok(r, list);
}

/* -- text */

/* The word stands somewhere, beside the format's own name. */
static bool says_json(struct str body)
{
    for (; body.len >= 4; body = str_skip(body, 1))
        if (str_starts_nocase(body, STR("json")) && !str_starts(body, STR("json_object")))
            return true;
    return false;
}

static bool format_ok(struct rsp *r, yyjson_val *format)
{
    static const struct str where = STR_INIT("text.format");
    struct str type = json_text(format, "type"), name = json_text(format, "name");
    bool schema = str_eq(type, STR("json_schema"));
    if (!format)
        return true;
    if (type.len == 0)
        return rsp_missing(r, STR("text.format.type"));
    if (!rsp_word_in("text json_object json_schema", type))
        return rsp_bad(r, where, "invalid_value",
                       "Invalid value: '%.*s'. Supported values are: 'json_object', 'json_schema', "
                       "and 'text'.",
                       STR_ARG(type));
    if (!rsp_members_ok(r, format, schema ? "type name schema description strict" : "type", where))
        return false;
    if (str_eq(type, STR("json_object")) && !says_json(r->rq->body))
        return rsp_bad(r, STR("input"), NULL,
                       "Response input messages must contain the word 'json' in some form to use "
                       "'text.format' of type 'json_object'.");
    if (!schema)
        return true;
    return required_ok(r, format, "name schema", where) &&
           name_ok(r, name, STR("text.format.name")) &&
           (!yyjson_is_true(yyjson_obj_get(format, "strict")) ||
            strict_ok(r, yyjson_obj_get(format, "schema"), STR("text.format.schema"),
                      "invalid_json_schema", name));
}

bool rsp_text_ok(struct rsp *r)
{
    yyjson_val *text = yyjson_obj_get(r->rq->json, "text");
    struct str verbosity = json_text(text, "verbosity");
    if (!rsp_members_ok(r, text, "format verbosity", STR("text")))
        return false;
    if (rsp_has(text, "verbosity") && !rsp_word_in("low medium high", verbosity))
        return rsp_bad(r, STR("text.verbosity"), "invalid_value",
                       "Invalid value: '%.*s'. Supported values are: 'low', 'medium', and 'high'.",
                       STR_ARG(verbosity));
    if (verbosity.len > 0 && !r->model->verbosity && !str_eq(verbosity, STR("medium")))
        return rsp_bad(
            r, STR("text.verbosity"), "unsupported_value",
            "Unsupported value: '%.*s' is not supported with the '%.*s' model. Supported "
            "values are: 'medium'.",
            STR_ARG(verbosity), STR_ARG(str_head(r->rq->model, 64)));
    return format_ok(r, yyjson_obj_get(text, "format"));
}
