/* The shape of a request: members, tools, safety settings. */
#include "mock/gemini.h"

const struct gemini_model *gemini_model_of(const struct request *rq)
{
    static const struct gemini_model models[] = {
        { "gemini-1.5-", 20, 0, 0, false, "" },
        { "gemini-2.0-", 20, 0, 0, false, "" },
        { "gemini-2.5-pro", 25, 128, 32768, false, "" },
        { "gemini-2.5-flash-lite", 25, 512, 24576, true, "" },
        { "gemini-2.5-flash", 25, 0, 24576, true, "" },
        { "gemini-3.1-pro", 30, 0, 0, false, "LOW MEDIUM HIGH" },
        { "gemini-3-flash", 30, 0, 0, false, "MINIMAL LOW MEDIUM HIGH" },
        { "gemini-3.1-flash-lite", 30, 0, 0, false, "MINIMAL LOW MEDIUM HIGH" },
        { "gemini-3.5-flash", 30, 0, 0, false, "MINIMAL LOW MEDIUM HIGH" },
        { "gemini-3.8-flash", 30, 0, 0, false, "LOW MEDIUM HIGH" },
        { "", 30, 0, 0, false, "LOW HIGH" },
    };
    for (size_t i = 0;; i++)
        if (str_starts(rq->model, str_c(models[i].prefix)))
            return &models[i];
}

bool gemini_word_in(const char *words, struct str word)
{
    struct str rest = str_c(words);
    while (rest.len > 0)
        if (str_eq(str_cut(&rest, ' '), word))
            return true;
    return false;
}

bool gemini_members_ok(struct request *rq, struct reply *rp, yyjson_val *object, const char *words,
                       const char *where)
{
    if (!object)
        return true;
    if (!yyjson_is_obj(object))
        return google_bad(rq, rp, "Invalid value at '%s': it is no object.", where);
    yyjson_obj_iter it = yyjson_obj_iter_with(object);
    for (yyjson_val *name; (name = yyjson_obj_iter_next(&it));)
        if (!gemini_word_in(words, str_of(yyjson_get_str(name), yyjson_get_len(name))))
            return google_bad(rq, rp,
                              "Invalid JSON payload received. Unknown name \"%.200s\" at '%s': "
                              "Cannot find field.",
                              yyjson_get_str(name), where);
    return true;
}

/* -- tools */

yyjson_val *gemini_function(const struct request *rq, struct str name)
{
    yyjson_arr_iter it = yyjson_arr_iter_with(yyjson_obj_get(rq->json, "tools"));
    for (yyjson_val *tool; (tool = yyjson_arr_iter_next(&it));) {
        yyjson_arr_iter f = yyjson_arr_iter_with(yyjson_obj_get(tool, "functionDeclarations"));
        for (yyjson_val *one; (one = yyjson_arr_iter_next(&f));)
            if (str_eq(json_text(one, "name"), name))
                return one;
    }
    return NULL;
}

size_t gemini_function_count(const struct request *rq)
{
    size_t n = 0;
    yyjson_arr_iter it = yyjson_arr_iter_with(yyjson_obj_get(rq->json, "tools"));
    for (yyjson_val *tool; (tool = yyjson_arr_iter_next(&it));)
        n += yyjson_arr_size(yyjson_obj_get(tool, "functionDeclarations"));
    return n;
}

bool gemini_has_tool(const struct request *rq, const char *name)
{
    yyjson_arr_iter it = yyjson_arr_iter_with(yyjson_obj_get(rq->json, "tools"));
    for (yyjson_val *tool; (tool = yyjson_arr_iter_next(&it));)
        if (yyjson_obj_get(tool, name))
            return true;
    return false;
}

static bool function_name_ok(struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = ascii_lower(s.p[i]);
        bool letter = (c >= 'a' && c <= 'z') || c == '_';
        bool more = (c >= '0' && c <= '9') || c == '.' || c == ':' || c == '-';
        if (!letter && (i == 0 || !more))
            return false;
    }
    return s.len > 0 && s.len <= 64;
}

static bool function_ok(struct request *rq, struct reply *rp, yyjson_val *f)
{
    static const char where[] = "tools[0].function_declarations[0]";
    yyjson_val *open = yyjson_obj_get(f, "parameters"),
               *json = yyjson_obj_get(f, "parametersJsonSchema");
    if (!gemini_members_ok(rq, rp, f,
                           "name description parameters parametersJsonSchema response "
                           "responseJsonSchema behavior",
                           where))
        return false;
    if (!function_name_ok(json_text(f, "name")))
        return google_bad(
            rq, rp,
            "Invalid function name. Must start with a letter or an underscore. Must "
            "be alphameric (a-z, A-Z, 0-9), underscores (_), dots (.), colons (:), or "
            "dashes (-), with a maximum length of 64.");
    if (open && json)
        return google_bad(rq, rp, "Only one of parameters and parametersJsonSchema can be set.");
    if (json && gemini_model_of(rq)->generation < 25)
        return google_bad(rq, rp, "parametersJsonSchema is not supported for this model.");
    if (open && yyjson_equals_str(yyjson_obj_get(open, "type"), "OBJECT") &&
        yyjson_obj_size(yyjson_obj_get(open, "properties")) == 0)
        return google_bad(rq, rp, "%s.parameters.properties: should be non-empty for OBJECT type",
                          where);
    return (!open || gemini_schema_ok(rq, rp, open, FORM_OPENAPI, where)) &&
           (!json || gemini_schema_ok(rq, rp, json, FORM_JSON, where));
}

static bool functions_ok(struct request *rq, struct reply *rp)
{
    size_t objects = 0;
    yyjson_arr_iter it = yyjson_arr_iter_with(yyjson_obj_get(rq->json, "tools"));
    for (yyjson_val *tool; (tool = yyjson_arr_iter_next(&it));) {
        yyjson_val *list = yyjson_obj_get(tool, "functionDeclarations");
        if (!gemini_members_ok(rq, rp, tool,
                               "functionDeclarations googleSearch googleSearchRetrieval urlContext "
                               "codeExecution googleMaps computerUse fileSearch retrieval "
                               "enterpriseWebSearch",
                               "tools[0]"))
            return false;
        if (yyjson_obj_size(tool) == 0 || (list && yyjson_arr_size(list) == 0))
            return google_bad(rq, rp,
                              "tools[0].tool_type: required one_of 'tool_type' must have "
                              "one initialized field");
        objects += list != NULL;
        yyjson_arr_iter f = yyjson_arr_iter_with(list);
        for (yyjson_val *one; (one = yyjson_arr_iter_next(&f));) {
            if (!function_ok(rq, rp, one))
                return false;
            if (gemini_function(rq, json_text(one, "name")) != one)
                return google_bad(rq, rp, "Duplicate function declaration found: %.*s",
                                  STR_ARG(json_text(one, "name")));
        }
    }
    if (objects > 1)
        return google_bad(rq, rp,
                          "Multiple tools are supported only when they are all search tools.");
    return true;
}

static bool mode_ok(struct request *rq, struct reply *rp, yyjson_val *calling)
{
    struct str mode = json_text(calling, "mode");
    yyjson_val *allowed = yyjson_obj_get(calling, "allowedFunctionNames");
    yyjson_arr_iter it = yyjson_arr_iter_with(allowed);
    if (!gemini_members_ok(rq, rp, calling, "mode allowedFunctionNames streamFunctionCallArguments",
                           "tool_config.function_calling_config"))
        return false;
    if (!gemini_word_in("AUTO ANY NONE VALIDATED", mode))
        return google_bad(rq, rp,
                          "Invalid value at 'tool_config.function_calling_config.mode', \"%.*s\"",
                          STR_ARG(mode));
    if (gemini_function_count(rq) == 0)
        return google_bad(rq, rp, "Function calling config is set without function_declarations.");
    if (allowed && (str_eq(mode, STR("AUTO")) || str_eq(mode, STR("NONE"))))
        return google_bad(rq, rp,
                          "Allowed function names should be set only when the function "
                          "calling mode is ANY or VALIDATED.");
    if (str_eq(mode, STR("VALIDATED")) && gemini_model_of(rq)->generation < 25)
        return google_bad(rq, rp, "Function calling mode VALIDATED is not supported.");
    for (yyjson_val *name; (name = yyjson_arr_iter_next(&it));)
        if (!yyjson_is_str(name) ||
            !gemini_function(rq, str_of(yyjson_get_str(name), yyjson_get_len(name))))
            return google_bad(rq, rp,
                              "allowed_function_names holds a function that is not declared.");
    return true;
}

static bool tools_ok(struct request *rq, struct reply *rp)
{
    yyjson_val *config = yyjson_obj_get(rq->json, "toolConfig");
    yyjson_val *calling = yyjson_obj_get(config, "functionCallingConfig");
    bool builtin = gemini_has_tool(rq, "googleSearch") || gemini_has_tool(rq, "codeExecution") ||
                   gemini_has_tool(rq, "urlContext");
    bool mixed = builtin && gemini_function_count(rq) > 0;
    bool told = yyjson_get_bool(yyjson_obj_get(config, "includeServerSideToolInvocations"));
    if (!functions_ok(rq, rp) ||
        !gemini_members_ok(rq, rp, config,
                           rq->vertex ? "functionCallingConfig retrievalConfig"
                                      : "functionCallingConfig retrievalConfig "
                                        "includeServerSideToolInvocations",
                           "tool_config") ||
        (calling && !mode_ok(rq, rp, calling)))
        return false;
    if (mixed && gemini_model_of(rq)->generation < 30)
        return google_bad(rq, rp,
                          "Built-in tools ({google_search}) and Function Calling cannot be "
                          "combined in the same request.");
    if (mixed && !rq->vertex && !told)
        return google_bad(rq, rp,
                          "Please enable tool_config.include_server_side_tool_invocations "
                          "to use Built-in tools with Function calling.");
    return true;
}

/* -- the rest */

static bool safety_ok(struct request *rq, struct reply *rp)
{
    yyjson_arr_iter it = yyjson_arr_iter_with(yyjson_obj_get(rq->json, "safetySettings"));
    for (yyjson_val *one; (one = yyjson_arr_iter_next(&it));) {
        if (!gemini_members_ok(rq, rp, one,
                               rq->vertex ? "category threshold method" : "category threshold",
                               "safety_settings[0]"))
            return false;
        if (!str_starts(json_text(one, "category"), STR("HARM_CATEGORY_")) ||
            !gemini_word_in(
                "BLOCK_LOW_AND_ABOVE BLOCK_MEDIUM_AND_ABOVE BLOCK_ONLY_HIGH BLOCK_NONE OFF",
                json_text(one, "threshold")))
            return google_bad(rq, rp, "Invalid value at 'safety_settings[0]'");
    }
    return true;
}

static bool system_ok(struct request *rq, struct reply *rp)
{
    yyjson_val *system = yyjson_obj_get(rq->json, "systemInstruction");
    yyjson_val *parts = yyjson_obj_get(system, "parts");
    yyjson_arr_iter it = yyjson_arr_iter_with(parts);
    if (!gemini_members_ok(rq, rp, system, "role parts", "system_instruction"))
        return false;
    if (system && yyjson_arr_size(parts) == 0)
        return google_bad(rq, rp, "system_instruction.parts must not be empty.");
    for (yyjson_val *part; (part = yyjson_arr_iter_next(&it));)
        if (yyjson_obj_size(part) != 1 || json_text(part, "text").len == 0)
            return google_bad(rq, rp, "system_instruction takes text parts alone.");
    return true;
}

/* A cache holds these already. */
static bool cache_ok(struct request *rq, struct reply *rp)
{
    static const char *const held[] = { "systemInstruction", "tools", "toolConfig" };
    for (size_t i = 0; i < 3 && yyjson_obj_get(rq->json, "cachedContent"); i++)
        if (yyjson_obj_get(rq->json, held[i]))
            return google_bad(rq, rp,
                              "CachedContent can not be used with GenerateContent request "
                              "setting system_instruction, tools or tool_config.");
    return true;
}

bool gemini_request_ok(struct request *rq, struct reply *rp)
{
    const char *names = rq->vertex ? "contents systemInstruction tools toolConfig safetySettings "
                                     "generationConfig cachedContent labels continuationToken "
                                     "modelArmorConfig serviceTier"
                                   : "contents systemInstruction tools toolConfig safetySettings "
                                     "generationConfig cachedContent labels continuationToken "
                                     "serviceTier store";
    if (!rq->json)
        return google_bad(rq, rp, "Invalid JSON payload received. Unexpected end of string.");
    return gemini_members_ok(rq, rp, rq->json, names, "request") && gemini_parts_ok(rq, rp);
}

bool gemini_parts_ok(struct request *rq, struct reply *rp)
{
    yyjson_val *tier = yyjson_obj_get(rq->json, "serviceTier");
    if (tier && !gemini_word_in("standard flex priority", json_text(rq->json, "serviceTier")))
        return google_bad(rq, rp, "Invalid value at 'service_tier'");
    return system_ok(rq, rp) && tools_ok(rq, rp) && safety_ok(rq, rp) && cache_ok(rq, rp) &&
           gemini_config_ok(rq, rp) && gemini_contents_ok(rq, rp);
}
