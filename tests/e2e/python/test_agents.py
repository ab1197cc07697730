"""OpenAI's Agents SDK against the Responses API: tool loops, handoffs and structured results, over each provider."""
import asyncio

import agents
import openai
import pydantic
import pytest
from openai.types.shared import Reasoning

import responses_rig
import rig
from providers import TEXT, THOUGHT, TOOLS
from responses_rig import ALIASES, THINKERS, script

BOTH = pytest.mark.parametrize('stream', [False, True], ids=['whole', 'stream'])


@pytest.fixture(scope='module')
def gateway(folder, mock):
    server = responses_rig.start(folder, mock)
    yield server
    server.stop()


@pytest.fixture(params=ALIASES, ids=lambda a: a.name)
def a(request):
    return request.param


@pytest.fixture(params=THINKERS, ids=lambda a: a.name)
def thinking(request):
    return request.param


@pytest.fixture
def run(gateway):
    """Runs an agent with the gateway as its only provider; returns the result and the kinds of events, if streamed."""
    async def go(agent, text, stream, more):
        async with openai.AsyncOpenAI(api_key=rig.MASTER, base_url=gateway.base, max_retries=0) as client:
            provider = agents.OpenAIProvider(openai_client=client, use_responses=True)
            config = agents.RunConfig(model_provider=provider, tracing_disabled=True)
            if not stream:
                return await agents.Runner.run(agent, text, run_config=config, **more), []
            result = agents.Runner.run_streamed(agent, text, run_config=config, **more)
            kinds = [event.type async for event in result.stream_events()]
            return result, kinds

    def runner(agent, text, stream, **more):
        result, kinds = asyncio.run(go(agent, text, stream, more))
        assert not stream or {'agent_updated_stream_event', 'raw_response_event', 'run_item_stream_event'} == set(kinds)
        return result
    return runner


def settings(items='', **members):
    headers, mark = script(items)
    return agents.ModelSettings(extra_headers=headers, **members), mark


class Told:
    """Tools that remember what they were called with."""

    def __init__(self):
        self.calls = []

        @agents.function_tool
        def get_weather(city: str, days: int) -> str:
            """The weather of a city."""
            self.calls.append((city, days))
            return f'{city}: sunny for {days}'

        @agents.function_tool
        def get_time(place: str) -> str:
            """The time there."""
            self.calls.append(place)
            return f'noon in {place}'
        self.weather, self.time = get_weather, get_time


def items(result, kind):
    return [item for item in result.new_items if item.type == kind]


@BOTH
def test_plain(run, a, stream):
    result = run(agents.Agent(name='Clerk', instructions='Be brief.', model=a.name), 'Hello', stream)
    assert result.final_output == TEXT
    assert result.context_wrapper.usage.output_tokens == 16 and result.context_wrapper.usage.requests == 1


@BOTH
def test_tool_loop(run, a, stream):
    """Two turns of calls, one of them parallel, before the answer."""
    told = Told()
    how, _ = settings('call=get_weather({"city":"Ulm","days":2})+get_time({"place":"Rom"}),call=get_weather({"city":"Bonn","days":1})')
    agent = agents.Agent(name='Clerk', instructions='Use the tools.', model=a.name, tools=[told.weather, told.time],
                         model_settings=how)
    result = run(agent, 'How is it?', stream)
    assert sorted(map(str, told.calls)) == ["('Bonn', 1)", "('Ulm', 2)", 'Rom']
    assert result.final_output.startswith(TOOLS) and result.final_output.endswith('Bonn: sunny for 1')
    assert len(items(result, 'tool_call_item')) == len(items(result, 'tool_call_output_item')) == 3
    assert result.context_wrapper.usage.requests == 3


@BOTH
def test_tool_loop_by_response(run, a, stream):
    """The SDK sends only what is new, and names the response before."""
    told = Told()
    how, _ = settings('call=get_weather({"city":"Ulm","days":2}),call=get_weather({"city":"Bonn","days":1})')
    agent = agents.Agent(name='Clerk', model=a.name, tools=[told.weather], model_settings=how)
    result = run(agent, 'How is it?', stream, auto_previous_response_id=True)
    assert told.calls == [('Ulm', 2), ('Bonn', 1)]
    assert result.final_output.endswith('Bonn: sunny for 1')
    again = run(agent, 'And now?', stream, previous_response_id=result.last_response_id)
    assert again.final_output


@BOTH
def test_handoff(run, a, stream):
    told = Told()
    how, _ = settings('call=transfer_to_meteorologist({}),call=get_weather({"city":"Ulm","days":2})')
    expert = agents.Agent(name='Meteorologist', instructions='You know the weather.', model=a.name, tools=[told.weather],
                          model_settings=how)
    clerk = agents.Agent(name='Clerk', instructions='Hand over.', model=a.name, handoffs=[expert], model_settings=how)
    result = run(clerk, 'How is the weather?', stream)
    assert result.last_agent is expert and told.calls == [('Ulm', 2)]
    assert len(items(result, 'handoff_call_item')) == len(items(result, 'handoff_output_item')) == 1
    assert result.final_output.startswith(TOOLS) and result.final_output.endswith('Ulm: sunny for 2')


@BOTH
def test_handoff_to_another_provider(run, stream):
    """A clerk of one provider, an expert of another, the items of one in front of the other."""
    for first, second in zip(ALIASES, (*ALIASES[1:], ALIASES[0]), strict=True):
        told = Told()
        how, _ = settings('call=transfer_to_meteorologist({}),call=get_weather({"city":"Ulm","days":2})')
        expert = agents.Agent(name='Meteorologist', model=second.name, tools=[told.weather], model_settings=how)
        clerk = agents.Agent(name='Clerk', model=first.name, handoffs=[expert], model_settings=how)
        result = run(clerk, 'How is the weather?', stream)
        assert result.last_agent is expert and told.calls == [('Ulm', 2)], (first.name, second.name)
        assert result.final_output.endswith('Ulm: sunny for 2'), (first.name, second.name)


class Person(pydantic.BaseModel):
    name: str
    age: int


@BOTH
def test_structured(run, a, stream):
    result = run(agents.Agent(name='Clerk', model=a.name, output_type=Person), 'Who?', stream)
    assert result.final_output == Person(name='text', age=1)


@BOTH
def test_reasoning(run, thinking, stream):
    """Reasoning with its state goes round in a tool loop where nothing is stored."""
    told = Told()
    how, _ = settings('call=get_weather({"city":"Ulm","days":2})', reasoning=Reasoning(effort='low', summary='auto'), store=False,
                      response_include=['reasoning.encrypted_content'])
    agent = agents.Agent(name='Clerk', model=thinking.thinker, tools=[told.weather], model_settings=how)
    result = run(agent, 'How is it?', stream)
    assert told.calls == [('Ulm', 2)] and result.final_output == TOOLS + 'Ulm: sunny for 2'
    told_items = [item.raw_item for item in items(result, 'reasoning_item')]
    assert ''.join(part.text for part in told_items[0].summary) == THOUGHT
    assert any(item.encrypted_content for item in told_items)


@BOTH
def test_provider_that_fails(run, a, stream):
    how, _ = settings('status=429')
    with pytest.raises(openai.RateLimitError):
        run(agents.Agent(name='Clerk', model=a.name, model_settings=how), 'Hello', stream)
