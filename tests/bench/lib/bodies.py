"""The requests of the benchmark, the same bytes on every machine."""
import json
import os

from calls import CALLS

WORDS = ('The dam holds the river at the height that the meadow needs, and lets the rest go by. "How much '
         'water," asked the miller, "passes here in a day?" Nobody had counted. ').split(' ')

TOOL = {'type': 'function', 'function': {
    'name': 'river_level', 'description': 'The level of a river at a gauge, in centimetres.',
    'parameters': {'type': 'object', 'properties': {
        'river': {'type': 'string'}, 'gauge': {'type': 'string', 'enum': ['upper', 'lower']}},
        'required': ['river']}}}


def prose(size):
    text, i = '', 0
    while len(text) < size:
        text += WORDS[i % len(WORDS)] + ('\n' if i % 23 == 22 else ' ')
        i += 1
    return text[:size]


def text_of(request):
    return json.dumps(request, separators=(',', ':'), ensure_ascii=False)


def chat(size, stream=False, turns=2, model='bench'):
    """A chat request of exactly `size` bytes as an SDK writes it."""
    request = {'messages': [{'role': 'system', 'content': 'You answer questions about rivers.'}],
               'model': model, 'max_tokens': 512, 'temperature': 0.7, 'top_p': 1, 'user': 'u-20931'}
    if turns > 2:
        request['tools'] = [TOOL]
    if stream:
        request['stream'] = True
    for i in range(turns - 1):
        request['messages'].append({'role': 'assistant' if i % 2 else 'user', 'content': ''})

    def length():
        return len(text_of(request).encode())

    share = (size - length()) // (turns - 1)
    for message in request['messages'][1:]:
        message['content'] = prose(share)
        while len(json.dumps(message['content'], ensure_ascii=False).encode()) - 2 > share:
            message['content'] = message['content'][:-1]
    request['messages'][-1]['content'] += 'x' * (size - length())
    text = text_of(request)
    assert len(text.encode()) == size
    return text


def responses(size, stream=False, model='bench'):
    """The same for the Responses API."""
    request = {'model': model, 'instructions': 'You answer questions about rivers.', 'input': '', 'max_output_tokens': 512,
               'temperature': 0.7, 'store': False}
    if stream:
        request['stream'] = True
    room = size - len(text_of(request).encode())
    request['input'] = prose(room)
    while (over := len(text_of(request).encode()) - size) > 0:
        request['input'] = request['input'][:-over]
    request['input'] += 'x' * -over
    return text_of(request)


def image(mib, model):
    """A chat request with an image of `mib` MiB of base64; -> bytes. What it shows does not matter to a gateway."""
    before, after = text_of({'model': model, 'messages': [{'role': 'user', 'content': [
        {'type': 'text', 'text': 'What is on this picture?'},
        {'type': 'image_url', 'image_url': {'url': 'data:image/png;base64,@'}}]}], 'max_tokens': 512}).encode().split(b'@')
    return before + b'iVBORw0KGgoAAAANSUhEUgAAAAUAAAAF' * (mib * 2**20 // 32) + after


def write_all(folder):
    """-> name of a call -> path of its body."""
    paths = {}
    for name, call in CALLS.items():
        text = responses(call.size, call.stream, call.model) if call.api == 'responses' else \
            chat(call.size, call.stream, call.turns, call.model)
        paths[name] = os.path.join(folder, f'body-{name}.json')
        with open(paths[name], 'w', encoding='utf-8') as file:
            file.write(text)
    return paths
