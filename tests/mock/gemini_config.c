/* generationConfig, and the two forms of a schema. */
#include "mock/gemini.h"

/* -- schemas */

#define SCHEMA_DEPTH 32

static bool object_of_schemas(yyjson_val *v, const char *name)
{
    return v && (str_eq(str_c(name), STR("properties")) || str_eq(str_c(name), STR("$defs")));
}

static bool schema_type_ok(yyjson_val *type, enum gemini_form form)
{
    const char *names = form == FORM_OPENAPI ? "STRING NUMBER INTEGER BOOLEAN ARRAY OBJECT NULL"
                                             : "string number integer boolean array object null";
    if (form == FORM_JSON && yyjson_is_arr(type)) {
        yyjson_arr_iter it = yyjson_arr_iter_with(type);
        for (yyjson_val *one; (one = yyjson_arr_iter_next(&it));)
            if (!schema_type_ok(one, form))
                return false;
        return yyjson_arr_size(type) > 0;
    }
    return yyjson_is_str(type) &&
           gemini_word_in(names, str_of(yyjson_get_str(type), yyjson_get_len(type)));
}

static bool enum_ok(yyjson_val *list, enum gemini_form form)
{
    yyjson_arr_iter it = yyjson_arr_iter_with(list);
    for (yyjson_val *one; (one = yyjson_arr_iter_next(&it));)
        if (!yyjson_is_str(one) && (form == FORM_OPENAPI || !yyjson_is_num(one)))
            return false;
    return yyjson_arr_size(list) > 0;
}

static bool required_ok(yyjson_val *schema)
{
    yyjson_val *properties = yyjson_obj_get(schema, "properties");
    yyjson_arr_iter it = yyjson_arr_iter_with(yyjson_obj_get(schema, "required"));
    for (yyjson_val *one; (one = yyjson_arr_iter_next(&it));)
        if (!yyjson_is_str(one) || !yyjson_obj_get(properties, yyjson_get_str(one)))
            return false;
    return true;
}

static bool schema_ok(struct request *rq, struct reply *rp, yyjson_val *s, enum gemini_form form,
                      const char *where, unsigned depth);

/* Every schema in an array, or in an object by name. */
static bool schemas_ok(struct request *rq, struct reply *rp, yyjson_val *v, enum gemini_form form,
                       const char *where, unsigned depth)
{
    size_t i, n;
    yyjson_val *name, *one;
    if (yyjson_is_obj(v)) {
        yyjson_obj_foreach(v, i, n, name,
                           one) if (!schema_ok(rq, rp, one, form, where, depth)) return false;
        return true;
    }
    yyjson_arr_foreach(v, i, n, one) if (!schema_ok(rq, rp, one, form, where, depth)) return false;
    return yyjson_is_arr(v);
}

static bool children_ok(struct request *rq, struct reply *rp, yyjson_val *s, enum gemini_form form,
                        const char *where, unsigned depth)
{
    static const char *const single[] = { "items", "additionalProperties" };
    static const char *const several[] = { "properties", "$defs", "anyOf", "oneOf", "prefixItems" };
    for (size_t i = 0; i < sizeof(single) / sizeof(single[0]); i++) {
        yyjson_val *v = yyjson_obj_get(s, single[i]);
        if (v && !(yyjson_is_bool(v) && i == 1) && !schema_ok(rq, rp, v, form, where, depth))
            return false;
    }
    for (size_t i = 0; i < sizeof(several) / sizeof(several[0]); i++) {
        yyjson_val *v = yyjson_obj_get(s, several[i]);
        if (!v)
            continue;
        if (yyjson_is_obj(v) != object_of_schemas(v, several[i]))
            return google_bad(rq, rp, "%s: '%s' has the wrong type.", where, several[i]);
        if (!schemas_ok(rq, rp, v, form, where, depth))
            return false;
    }
    return true;
}

static bool schema_ok(struct request *rq, struct reply *rp, yyjson_val *s, enum gemini_form form,
                      const char *where, unsigned depth)
{
    static const char open_names[] =
        "type format title description nullable enum items minItems maxItems properties required "
        "minProperties maxProperties minLength maxLength pattern minimum maximum anyOf "
        "propertyOrdering default example";
    static const char json_names[] =
        "$id $defs $ref $anchor type format title description enum items prefixItems minItems "
        "maxItems minimum maximum anyOf oneOf properties additionalProperties required "
        "propertyOrdering";
    yyjson_val *type = yyjson_obj_get(s, "type"), *list = yyjson_obj_get(s, "enum");
    if (depth > SCHEMA_DEPTH)
        return google_bad(rq, rp, "%s: the schema is nested too deeply.", where);
    if (!gemini_members_ok(rq, rp, s, form == FORM_OPENAPI ? open_names : json_names, where))
        return false;
    if (type && !schema_type_ok(type, form))
        return google_bad(rq, rp, "Invalid value at '%s.type'", where);
    if (form == FORM_OPENAPI && !type && !yyjson_obj_get(s, "anyOf"))
        return google_bad(rq, rp, "%s: schema didn't specify the schema type field.", where);
    if (form == FORM_OPENAPI && yyjson_equals_str(type, "ARRAY") && !yyjson_obj_get(s, "items"))
        return google_bad(rq, rp, "%s.items: missing field.", where);
    if (list && !enum_ok(list, form))
        return google_bad(rq, rp, "Invalid value at '%s.enum' (TYPE_STRING)", where);
    if (!required_ok(s))
        return google_bad(rq, rp, "%s.required[0]: property is not defined", where);
    if (yyjson_obj_get(s, "$ref") && yyjson_obj_get(s, "type"))
        return google_bad(rq, rp, "%s: beside $ref only members that begin with $ may stand.",
                          where);
    return children_ok(rq, rp, s, form, where, depth + 1);
}

bool gemini_schema_ok(struct request *rq, struct reply *rp, yyjson_val *schema,
                      enum gemini_form form, const char *where)
{
    return schema_ok(rq, rp, schema, form, where, 0);
}

/* -- thinking */

static bool thinking_ok(struct request *rq, struct reply *rp, yyjson_val *t)
{
    const struct gemini_model *model = gemini_model_of(rq);
    yyjson_val *budget = yyjson_obj_get(t, "thinkingBudget");
    yyjson_val *level = yyjson_obj_get(t, "thinkingLevel");
    double tokens = yyjson_get_num(budget);
    if (!t)
        return true;
    if (!gemini_members_ok(rq, rp, t, "includeThoughts thinkingBudget thinkingLevel",
                           "generation_config.thinking_config"))
        return false;
    if (model->generation < 25)
        return google_bad(rq, rp, "Thinking is not supported for this model.");
    if (budget && level)
        return google_bad(rq, rp,
                          "You can only set only one of thinking budget and thinking level.");
    if (level && model->generation < 30)
        return google_bad(rq, rp, "Thinking level is not supported for this model.");
    if (level && !gemini_word_in(model->levels, json_text(t, "thinkingLevel")))
        return google_bad(rq, rp, "Thinking level %.*s is not supported for this model.",
                          STR_ARG(json_text(t, "thinkingLevel")));
    bool fits = tokens == -1 || (tokens == 0 && model->budget_zero) ||
                (tokens >= model->budget_min && tokens <= model->budget_max);
    if (budget && model->generation == 25 && !(yyjson_is_num(budget) && fits))
        return google_bad(rq, rp,
                          "The thinking budget %g is invalid. Please choose a value between %d and "
                          "%d.",
                          tokens, model->budget_min, model->budget_max);
    return true;
}

/* -- numbers */

static bool numbers_ok(struct request *rq, struct reply *rp, yyjson_val *config)
{
    static const struct {
        const char *name;
        double least, below; /* a penalty of 2 is too much already */
        bool whole;
    } rows[] = {
        { "temperature", 0, 2.0001, false },
        { "topP", 0, 1.0001, false },
        { "topK", 1, 1e6, true },
        { "candidateCount", 1, 9, true },
        { "maxOutputTokens", 1, 65537, true },
        { "seed", -2147483648.0, 2147483648.0, true },
        { "presencePenalty", -2, 2, false },
        { "frequencyPenalty", -2, 2, false },
        { "logprobs", 0, 21, true },
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        yyjson_val *v = yyjson_obj_get(config, rows[i].name);
        double n = yyjson_get_num(v);
        if (v && (!yyjson_is_num(v) || n < rows[i].least || n >= rows[i].below ||
                  (rows[i].whole && n != (double)(int64_t)n)))
            return google_bad(rq, rp,
                              "* GenerateContentRequest.generation_config.%s: it must be in the "
                              "range [%g, %g).",
                              rows[i].name, rows[i].least, rows[i].below);
    }
    bool penalty =
        yyjson_obj_get(config, "presencePenalty") || yyjson_obj_get(config, "frequencyPenalty");
    if (penalty && gemini_model_of(rq)->generation != 20)
        return google_bad(rq, rp, "Penalty is not enabled for this model.");
    if (yyjson_obj_get(config, "logprobs") &&
        !yyjson_get_bool(yyjson_obj_get(config, "responseLogprobs")))
        return google_bad(rq, rp, "Logprobs is set without response_logprobs.");
    return true;
}

static bool stops_ok(struct request *rq, struct reply *rp, yyjson_val *stops)
{
    yyjson_arr_iter it = yyjson_arr_iter_with(stops);
    if (yyjson_arr_size(stops) > 5)
        return google_bad(rq, rp, "Only 5 stop sequences are allowed.");
    for (yyjson_val *one; (one = yyjson_arr_iter_next(&it));)
        if (!yyjson_is_str(one) || yyjson_get_len(one) == 0)
            return google_bad(rq, rp, "stop_sequences must not be empty.");
    return true;
}

/* -- the format of the answer */

static bool format_ok(struct request *rq, struct reply *rp, yyjson_val *config)
{
    yyjson_val *open = yyjson_obj_get(config, "responseSchema"),
               *json = yyjson_obj_get(config, "responseJsonSchema");
    bool typed = yyjson_obj_get(config, "responseMimeType") != NULL;
    struct str mime = json_text(config, "responseMimeType");
    bool is_json = str_eq(mime, STR("application/json"));
    int generation = gemini_model_of(rq)->generation;
    if (typed && !gemini_word_in("text/plain application/json text/x.enum", mime))
        return google_bad(rq, rp,
                          "* GenerateContentRequest.generation_config.response_mime_type: "
                          "allowed mimetypes are `text/plain`, `application/json` ...");
    if (open && json)
        return google_bad(rq, rp,
                          "Only one of response_schema and response_json_schema can be set.");
    if ((open || json) && !is_json)
        return google_bad(rq, rp, "response_schema needs response_mime_type application/json.");
    if (json && generation < 25)
        return google_bad(rq, rp, "response_json_schema is not supported for this model.");
    if (is_json && generation < 30 && gemini_function_count(rq) > 0)
        return google_bad(rq, rp,
                          "Function calling with a response mime type: 'application/json' "
                          "is unsupported");
    static const char where[] = "generation_config.response_schema";
    return (!open || gemini_schema_ok(rq, rp, open, FORM_OPENAPI, where)) &&
           (!json || gemini_schema_ok(rq, rp, json, FORM_JSON, where));
}

static bool modalities_ok(struct request *rq, struct reply *rp, yyjson_val *list)
{
    bool images = str_find(rq->model, STR("-image")) != STR_NONE;
    yyjson_arr_iter it = yyjson_arr_iter_with(list);
    if (list && !yyjson_is_arr(list))
        return google_bad(rq, rp, "Invalid value at 'generation_config.response_modalities'");
    for (yyjson_val *one; (one = yyjson_arr_iter_next(&it));) {
        if (!yyjson_equals_str(one, "TEXT") && !yyjson_equals_str(one, "IMAGE") &&
            !yyjson_equals_str(one, "AUDIO"))
            return google_bad(rq, rp,
                              "Invalid value at 'generation_config.response_modalities[0]'");
        if (!yyjson_equals_str(one, "TEXT") && !(images && yyjson_equals_str(one, "IMAGE")))
            return google_bad(rq, rp,
                              "The requested combination of response modalities is not supported "
                              "by the model. %.*s",
                              STR_ARG(rq->model));
    }
    return true;
}

bool gemini_config_ok(struct request *rq, struct reply *rp)
{
    yyjson_val *config = yyjson_obj_get(rq->json, "generationConfig");
    if (!gemini_members_ok(rq, rp, config,
                           "temperature topP topK candidateCount maxOutputTokens stopSequences "
                           "seed presencePenalty frequencyPenalty responseLogprobs logprobs "
                           "responseMimeType responseSchema responseJsonSchema responseModalities "
                           "thinkingConfig mediaResolution speechConfig imageConfig",
                           "generation_config"))
        return false;
    return numbers_ok(rq, rp, config) &&
           stops_ok(rq, rp, yyjson_obj_get(config, "stopSequences")) &&
           thinking_ok(rq, rp, yyjson_obj_get(config, "thinkingConfig")) &&
           modalities_ok(rq, rp, yyjson_obj_get(config, "responseModalities")) &&
           format_ok(rq, rp, config);
}
