#include "dialect/openai_chat.h"

#include "wire/json_write.h"

void openai_write_fault(const struct fault *f, struct str call_id, struct buf *out)
{
    struct json_write w;
    json_begin(&w, out);
    json_obj(&w, NULL);
    json_obj(&w, "error");
    json_str(&w, "message", f->msg);
    json_str(&w, "type", f->type);
    if (f->param.len)
        json_str(&w, "param", f->param);
    else
        json_null(&w, "param");
    if (f->code.len) {
        json_str(&w, "code", f->code);
    } else {
        char status[4] = { (char)('0' + f->status / 100 % 10), (char)('0' + f->status / 10 % 10),
                           (char)('0' + f->status % 10), 0 };
        json_strz(&w, "code", status);
    }
    if (call_id.len)
        json_str(&w, "litellm_call_id", call_id);
    json_end(&w);
    json_end(&w);
}
