"""Logits of a batch's questions, with teacher forcing for texts."""

from torch import Tensor

from resformer.model.networks.batch import Batch
from resformer.model.networks.encoder import Memory
from resformer.model.networks.resformer import Resformer
from resformer.train.network.targets import Targets

__all__ = ["row_logits"]


def row_logits(
    network: Resformer, inputs: Batch, targets: Targets, features: Tensor
) -> tuple[Tensor, Tensor | None, Memory]:
    """Logits (B, Q, A + L) of first steps and (T, S, V + L) of texts, None where there are none, and the memory.

    Args:
        features: (P, N, F) of the batch's pictures.
    """
    memory = network.encode(inputs, features)
    answers = network.answer(memory, network.decoder.init_cache(memory))
    if not len(targets.texts):
        return answers, None, memory
    sample, question = targets.texts.T
    selected = memory.select(sample)
    words = network.vocab_size + memory.words.start - 1 - targets.steps
    steps = targets.steps.where(targets.steps >= 0, words)
    return answers, network.write(steps, question, selected, network.decoder.init_cache(selected)), memory
