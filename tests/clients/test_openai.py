"""The official openai client, unchanged, against a running volan: chat, streams, embeddings, models and errors."""

import os
import subprocess
import tempfile
import time

import openai
import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


@pytest.fixture(scope="session")
def client():
    program = os.environ.get("VOLAN_BIN", os.path.join(ROOT, "build", "volan"))
    with tempfile.TemporaryDirectory() as data:
        command = [program, "up", "--project", os.path.join(ROOT, "examples/llm_twin"), "--data", data, "--listen", "127.0.0.1:0", "--print-url"]
        server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        try:
            url = server.stdout.readline().strip()
            assert url.startswith("http://127.0.0.1:"), "the first line of standard output is the URL"
            with open(os.path.join(data, "admin.key")) as file:
                key = file.read().strip()
            made = openai.OpenAI(base_url=url + "/v1", api_key=key, max_retries=0)
            wait_until_loaded(made)
            yield made
        finally:
            server.terminate()
            server.wait(timeout=30)


def wait_until_loaded(client):
    """The model servers load behind the open port; until then calls are refused as unavailable."""
    end = time.monotonic() + 120
    while True:
        try:
            client.embeddings.create(model="minilm", input="ready?")
            client.chat.completions.create(model="smollm2", max_tokens=1, messages=[{"role": "user", "content": "Hi"}])
            return
        except openai.InternalServerError:
            if time.monotonic() > end:
                raise
            time.sleep(0.2)


def test_answers_with_usage_and_an_id(client):
    answer = client.chat.completions.create(
        model="smollm2", max_tokens=8, temperature=0, messages=[{"role": "user", "content": "Say hello."}]
    )
    assert answer.choices[0].message.role == "assistant"
    assert answer.choices[0].message.content
    assert answer.choices[0].finish_reason in ("stop", "length")
    assert answer.usage.prompt_tokens > 0 and answer.usage.completion_tokens > 0
    assert answer._request_id


def test_streams_the_same_text_as_the_whole_answer(client):
    call = dict(model="smollm2", max_tokens=12, temperature=0, seed=1, messages=[{"role": "user", "content": "Count to five."}])
    whole = client.chat.completions.create(**call).choices[0].message.content
    chunks = list(client.chat.completions.create(stream=True, stream_options={"include_usage": True}, **call))
    assert "".join(c.choices[0].delta.content or "" for c in chunks if c.choices) == whole
    assert chunks[0].choices[0].delta.role == "assistant"
    assert chunks[-1].choices == [] and chunks[-1].usage.completion_tokens > 0
    assert len({c.id for c in chunks}) == 1


def test_embeds_as_base64_and_as_numbers_alike(client):
    default = client.embeddings.create(model="minilm", input=["ein Satz", "another sentence"])
    numbers = client.embeddings.create(model="minilm", input=["ein Satz", "another sentence"], encoding_format="float")
    assert [item.index for item in default.data] == [0, 1]
    for one, other in zip(default.data, numbers.data):
        assert len(one.embedding) == 384
        assert one.embedding == pytest.approx(other.embedding, abs=1e-5)


def test_lists_apps_and_endpoints_as_models(client):
    assert {"twin", "smollm2", "minilm"} <= {model.id for model in client.models.list()}
    assert client.models.retrieve("twin").id == "twin"


def test_names_the_field_of_a_wrong_type(client):
    with pytest.raises(openai.BadRequestError) as error:
        client.chat.completions.create(model="smollm2", messages=[{"role": "user", "content": 3}])
    assert error.value.param == "messages[0].content"
    assert "expected string, found number" in str(error.value)


def test_refuses_an_unknown_model(client):
    with pytest.raises(openai.NotFoundError) as error:
        client.chat.completions.create(model="nobody", messages=[{"role": "user", "content": "Hi"}])
    assert error.value.code == "model_not_found"


def test_refuses_a_wrong_key(client):
    with pytest.raises(openai.AuthenticationError):
        client.with_options(api_key="vk_wrong").models.list()


def test_says_that_an_app_without_features_is_unavailable(client):
    with pytest.raises(openai.InternalServerError) as error:
        client.chat.completions.create(model="twin", messages=[{"role": "user", "content": "What is a destructor?"}])
    assert error.value.status_code == 503
