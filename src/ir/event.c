#include "ir/event.h"

const char *ir_event_name(enum ir_event_kind k)
{
    static const char *const names[IR_EV_COUNT] = {
#define IR_EVENT(name, help) [IR_EV_##name] = #name,
#include "ir/event.def"
#undef IR_EVENT
    };
    return names[k];
}

bool ir_event_is_content(const struct ir_event *ev)
{
    switch (ev->kind) {
    case IR_EV_TEXT:
    case IR_EV_REASONING:
    case IR_EV_REFUSAL:
    case IR_EV_TOOL_ARGUMENTS: return ev->json.len > 2;
    default: return false;
    }
}
