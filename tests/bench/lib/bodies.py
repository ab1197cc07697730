"""The requests of the benchmark, the same bytes on every machine."""
import json
import os

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


def chat(size, stream=False, turns=2):
    """A chat request of exactly `size` bytes as an SDK writes it."""
    request = {'messages': [{'role': 'system', 'content': 'You answer questions about rivers.'}],
               'model': 'bench', 'max_tokens': 512, 'temperature': 0.7, 'top_p': 1, 'user': 'u-20931'}
    if turns > 2:
        request['tools'] = [TOOL]
    if stream:
        request['stream'] = True
    for i in range(turns - 1):
        request['messages'].append({'role': 'assistant' if i % 2 else 'user', 'content': ''})

    def length():
        return len(json.dumps(request, separators=(',', ':'), ensure_ascii=False).encode())

    share = (size - length()) // (turns - 1)
    for message in request['messages'][1:]:
        message['content'] = prose(share)
        while len(json.dumps(message['content'], ensure_ascii=False).encode()) - 2 > share:
            message['content'] = message['content'][:-1]
    request['messages'][-1]['content'] += 'x' * (size - length())
    text = json.dumps(request, separators=(',', ':'), ensure_ascii=False)
    assert len(text.encode()) == size
    return text


def write_all(folder):
    """-> name -> path."""
    paths = {}
    for name, text in (('1k5', chat(1500)), ('26k', chat(26000, turns=13)),
                       ('stream', chat(1500, stream=True))):
        paths[name] = os.path.join(folder, f'body-{name}.json')
        with open(paths[name], 'w', encoding='utf-8') as file:
            file.write(text)
    return paths
