"""Logits of a batch's questions, with teacher forcing for texts."""

import torch
from torch import Tensor

from resformer.model.inference.label_tokenizer import LabelTokenizer
from resformer.model.networks.attribute_network import AttributeBatch, AttributeNetwork
from resformer.train.attributes.attribute_targets import AttributeTargets

__all__ = ["attribute_logits", "embed_pictures"]


def embed_pictures(network: AttributeNetwork, pictures: Tensor) -> Tensor:
    """Patches (P, N, D) of pictures (P, 3, S, S)."""
    return network.embed_image(pictures.contiguous(memory_format=torch.channels_last))


def attribute_logits(
    network: AttributeNetwork,
    tokenizer: LabelTokenizer,
    inputs: AttributeBatch,
    targets: AttributeTargets,
    patches: Tensor,
) -> tuple[Tensor, Tensor | None]:
    """Logits (R, vocab_size) of labels and (Q - R, T, vocab_size) of texts, in fp32; None where no text is asked for.

    Args:
        patches: (P, N, D) of the batch's pictures.
    """
    memory = network.encode(inputs, patches)
    labels = torch.zeros(0, tokenizer.vocab_size, device=patches.device)
    if len(targets.classified):
        selected = memory.select(targets.classified)
        bos = torch.full((len(targets.classified), 1), tokenizer.bos_id, device=patches.device)
        labels = network.decode(bos, selected, network.decoder.init_cache(selected))[:, 0].float()
    if not len(targets.generated):
        return labels, None
    selected = memory.select(targets.generated)
    return labels, network.decode(targets.tokens, selected, network.decoder.init_cache(selected)).float()
