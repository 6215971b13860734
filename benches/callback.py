"""What the callback costs a training step: its share of the time of a real, tiny model's training on the CPU.

Run it where PyTorch and transformers are: ``make test-train``, or ``python benches/callback.py``. A step of a real
model takes longer, and the callback's time is the same, so that the share found here is an upper bound.
"""

import argparse
import tempfile
import time
from typing import Any

import numpy as np
import torch
import transformers

from entropylaw import EntropyLaw
from entropylaw.integrations.transformers import EntropyLawCallback

_VOCABULARY = 256


class Timed(EntropyLawCallback):
    """The callback with a clock around it."""

    spent = 0.0

    def on_log(self, *arguments: Any, **options: Any) -> None:
        start = time.perf_counter()
        super().on_log(*arguments, **options)
        self.spent += time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=300, help="steps of the epoch [%(default)s]")
    parser.add_argument("--width", type=int, default=64, help="of the model [%(default)s]")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    transformers.set_seed(0)
    R = np.linspace(2, 3, 12)
    law = EntropyLaw(form="R + L").fit(R, 5 - R + np.sin(9 * R) / 9, 9 - R + np.cos(7 * R) / 9)
    model = transformers.GPT2LMHeadModel(
        transformers.GPT2Config(
            vocab_size=_VOCABULARY,
            n_positions=64,
            n_embd=arguments.width,
            n_layer=2,
            n_head=2,
            bos_token_id=0,
            eos_token_id=0,
        )
    )
    rows = torch.randint(0, _VOCABULARY, (arguments.steps * 8, 64))
    for every in (1, 10):
        callback = Timed(law, R=2.5)
        with tempfile.TemporaryDirectory() as directory:
            settings = transformers.TrainingArguments(
                output_dir=directory,
                per_device_train_batch_size=8,
                num_train_epochs=1,
                logging_steps=every,
                save_strategy="no",
                report_to=[],
                disable_tqdm=True,
                use_cpu=True,
            )
            trainer = transformers.Trainer(
                model=model,
                args=settings,
                train_dataset=[{"input_ids": row, "labels": row} for row in rows],
                callbacks=[callback],
            )
            trainer.remove_callback(transformers.PrinterCallback)
            start = time.perf_counter()
            trainer.train()
            spent = time.perf_counter() - start
        print(
            f"a loss logged every {every} steps: {spent / arguments.steps * 1e3:.1f} ms a step, of these the callback "
            f"{callback.spent / arguments.steps * 1e6:.0f} us, {callback.spent / spent:.2%}"
        )


if __name__ == "__main__":
    main()
