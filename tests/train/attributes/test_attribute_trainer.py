"""Training of choices, paths and texts: records, batches, loss, and a run that learns."""

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from resformer.model.images.loading import decode_photo
from resformer.model.images.resize import letterbox
from resformer.model.inference.label_tokenizer import LabelTokenizer, hash_words
from resformer.model.inference.tokenizer import Tokenizer
from resformer.model.networks.attribute_network import TEXT_FIELDS
from resformer.model.predictor import Predictor
from resformer.model.schema.schema import SCHEMA_FILE, Schema
from resformer.train.attributes.attribute_batches import Pictures, ProductBatches, ProductTargets
from resformer.train.attributes.attribute_loss import TOKENS, Judgement, ProductLoss
from resformer.train.attributes.attribute_trainer import ProductsTrainer
from resformer.train.attributes.fit_bag_of_words import fit_lexicon
from resformer.train.attributes.fit_member_weights import fit_trust
from resformer.train.attributes.image_augment import augment
from resformer.train.attributes.labelled_products import (
    Product,
    balanced,
    cell_of,
    frequencies,
    label_of,
    log_priors,
    read_products,
)
from resformer.train.config import ProductsConfig, ProductSource, load_config, load_product_sources
from resformer.train.evaluation.attribute_scores import main as evaluate
from tests.paths import CONFIGS, DATA

SCHEMA = Schema.load()
LABELS = LabelTokenizer(SCHEMA, Tokenizer(SCHEMA))
TREE = """
entities:
  - {name: voltage, kind: quantity, units: [volt]}
  - {name: kind, kind: path, paths: [A > x, A > y, B > z]}
  - {name: colour, kind: choice, labels: [red, blue]}
  - {name: title, kind: text, max_subwords: 8}
"""


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> LabelTokenizer:
    file = tmp_path_factory.mktemp("schema") / "entities.yaml"
    file.write_text(TREE)
    schema = Schema.load(file)
    return LabelTokenizer(schema, Tokenizer(schema))


def product(**labels: int) -> Product:
    return Product("p", Path("p.jpg"), "", "", labels, {})


def test_cells_name_labels_and_nodes() -> None:
    category = SCHEMA["category"]
    tree = category.taxonomy
    assert tree.nodes[label_of(category, "Tshirts")] == ("Apparel", "Topwear", "Tshirts")
    assert tree.nodes[label_of(category, "Apparel > Topwear > Togas")] == ("Apparel", "Topwear")
    assert label_of(category, "Furniture") is None
    assert label_of(SCHEMA["usage"], "NA") == SCHEMA["usage"].labels.index("NA")
    with pytest.raises(ValueError, match="season has no label 'Monsoon'"):
        label_of(SCHEMA["season"], "Monsoon")
    assert cell_of({"a": "A", "b": "x"}, "a > b") == "A > x"
    assert cell_of({"a": "A"}, "a > b") == cell_of({}, "a") == ""


def test_records_of_a_table(shop: Path) -> None:
    answers = {"baseColour": "colour", "category": "kind", "description": "blurb"}
    source = ProductSource(table=shop / "table.csv", photos=shop / "photos", photo="id", answers=answers, title="name")
    products = read_products(source, SCHEMA)
    assert len(products) == 96
    first = products[0]
    assert first.title.startswith("Acme ") and set(first.labels) == {"baseColour", "category"}
    assert first.texts["description"].endswith("look")
    with pytest.raises(ValueError, match="no column 'tint'"):
        read_products(replace(source, answers={"baseColour": "tint"}), SCHEMA)
    with pytest.raises(ValueError, match=r"table\.csv, 0\.png: season has no label"):
        read_products(replace(source, answers={"season": "colour"}), SCHEMA)


def test_rare_labels_are_shown_more_often() -> None:
    usage = SCHEMA["usage"]
    products = [product(usage=label) for label, count in ((0, 100), (1, 25), (2, 1)) for _ in range(count)]
    found = balanced([*products, product()], usage, {0: 500.0, 1: 10.0}, enough=100, most=3)
    weights = {p.labels.get("usage"): (p.repeat, p.share) for p in found}
    assert weights == {0: (1, 5), 1: (2, 1), 2: (3, 1), None: (1, 1)}


def test_priors_count_products_as_shown_and_as_they_are(tree: LabelTokenizer, tmp_path: Path) -> None:
    kind = tree.entities[0]
    nodes = kind.taxonomy.nodes
    shown = [replace(product(kind=nodes.index(("A", "x")), colour=0), repeat=2.0) for _ in range(50)]
    shown += [replace(product(kind=nodes.index(("A",)), colour=1), share=3.0) for _ in range(100)]
    tokens = tree.labels(tree.entities[1])
    priors = log_priors(shown, tree, natural=False)
    np.testing.assert_allclose(np.exp(priors[tokens.start : tokens.stop]), [0.5, 0.5], atol=0.01)
    natural = log_priors(shown, tree, natural=True)
    np.testing.assert_allclose(np.exp(natural[tokens.start : tokens.stop]), [50 / 350, 300 / 350], atol=0.01)
    leaves = tree.labels(kind)
    # A parent's products may be any of its leaves: 100 of x and 50 + 50 of both.
    np.testing.assert_allclose(np.exp(priors[leaves.start : leaves.stop]), [0.75, 0.25, 0], atol=0.01)
    assert (priors[: tokens.start - 6] == 0).all()
    (tmp_path / "f.csv").write_text("label,count\nx,70\nQ,5\n")
    assert frequencies(tmp_path / "f.csv", kind) == {nodes.index(("A", "x")): 70.0}


def targets(entity: int, label: int) -> ProductTargets:
    empty = torch.zeros(0, 1, dtype=torch.long)
    return ProductTargets(
        labelled=torch.tensor([0]),
        label=torch.tensor([label]),
        rows=tuple(torch.arange(int(e == entity)) for e in range(3)),
        written=torch.zeros(0, dtype=torch.long),
        tokens=empty,
        following=empty,
        count=1,
    )


def test_loss_of_a_path_is_asked_level_by_level(tree: LabelTokenizer) -> None:
    settings = {"level_weights": (0.5, 1.0), "text_weight": 1.0, "smoothing": 0.0}
    loss = ProductLoss(tree, torch.zeros(tree.vocab_size), **settings)
    kind = tree.entities[0]
    logits = torch.zeros(1, tree.vocab_size)
    leaves = tree.labels(kind)
    logits[0, leaves.start : leaves.stop] = torch.tensor([0.5, 0.2, 0.3]).log()
    node = kind.taxonomy.index
    leaf = loss(logits, None, targets(0, node(("A", "x")))).item()
    assert leaf == pytest.approx(-0.5 * np.log(0.7) - np.log(0.5), rel=1e-5)
    # A label that is a parent asks for nothing below it.
    assert loss(logits, None, targets(0, node(("B",)))).item() == pytest.approx(-0.5 * np.log(0.3), rel=1e-5)
    # What is frequent in training speaks for itself, so less is asked of the network for it.
    prior = torch.zeros(tree.vocab_size)
    prior[leaves.start] = 2.0
    adjusted = ProductLoss(tree, prior, **settings)
    assert adjusted(logits, None, targets(0, node(("A", "x")))).item() < leaf


def test_other_entities_tokens_do_not_matter(tree: LabelTokenizer) -> None:
    loss = ProductLoss(tree, torch.zeros(tree.vocab_size), level_weights=(1.0,), text_weight=1.0, smoothing=0.0)
    logits = torch.randn(1, tree.vocab_size, generator=torch.Generator().manual_seed(0))
    before = loss(logits, None, targets(1, 1)).item()
    logits[0, : tree.labels(tree.entities[1]).start] += 9
    assert loss(logits, None, targets(1, 1)).item() == pytest.approx(before)


def test_a_token_weighs_the_same_in_every_text(tree: LabelTokenizer) -> None:
    loss = ProductLoss(tree, torch.zeros(tree.vocab_size), level_weights=(1.0,), text_weight=3.0, smoothing=0.0)
    following = torch.tensor([[tree.eos_id, tree.pad_id, tree.pad_id], [5, 6, tree.eos_id]])
    none = torch.zeros(0, dtype=torch.long)
    asked = ProductTargets(
        none, none, (none,) * 3, torch.arange(2), torch.zeros(2, 3, dtype=torch.long), following, count=2
    )
    texts = torch.zeros(2, 3, tree.vocab_size, requires_grad=True)
    value = loss(torch.zeros(0, tree.vocab_size), texts, asked)
    assert value.item() == pytest.approx(3.0 * 4 / TOKENS * np.log(tree.vocab_size) / 2, rel=1e-5)
    value.backward()
    slopes = texts.grad.gather(2, following[..., None])[..., 0]  # type: ignore[union-attr]
    assert slopes[0, 0] == slopes[1, 2] and not slopes[0, 1:].any()


def config(shop: Path, **changes: object) -> ProductsConfig:
    answers = {"baseColour": "colour", "category": "kind", "title": "name", "description": "blurb"}
    source = ProductSource(table=shop / "table.csv", photos=shop / "photos", photo="id", answers=answers, title="name")
    settings = {"preset": "nano", "minutes": 5.0, "epochs": 2, "batch_size": 16, "side": 96, "frozen_blocks": 0}
    return ProductsConfig(sources=(source,), **{**settings, **changes})  # type: ignore[arg-type]


def test_a_teacher_s_judgement_is_learned_beside_the_label(tree: LabelTokenizer) -> None:
    loss = ProductLoss(tree, torch.zeros(tree.vocab_size), level_weights=(1.0,), text_weight=1.0, smoothing=0.0)
    tokens = slice(tree.labels(tree.entities[1]).start, tree.labels(tree.entities[1]).stop)
    logits, heard = torch.zeros(2, 1, tree.vocab_size)
    logits[0, tokens] = torch.tensor([0.8, 0.2]).log()
    heard[0, tokens] = torch.tensor([0.6, 0.4]).log()
    judged = loss.chances(heard, targets(1, 1))
    assert judged.sum().item() == pytest.approx(1) and judged[0, tokens].tolist() == pytest.approx([0.6, 0.4])
    right, taught = -np.log(0.2), -0.6 * np.log(0.8) - 0.4 * np.log(0.2)
    for share in (0.0, 0.25, 1.0):
        judgement = Judgement(judged, None, torch.tensor([share]), torch.zeros(0))
        value = loss(logits, None, targets(1, 1), judgement).item()
        assert value == pytest.approx((1 - share) * right + share * taught, rel=1e-5)
    # So is how likely it finds what follows in a text.
    none = torch.zeros(0, dtype=torch.long)
    following = torch.tensor([[5, tree.eos_id]])
    asked = ProductTargets(none, none, (none,) * 3, torch.arange(1), following, following, count=1)
    texts, chances = torch.randn(2, 1, 2, tree.vocab_size, generator=torch.Generator().manual_seed(0))
    chances = chances.softmax(dim=-1)
    judgement = Judgement(torch.zeros(0, tree.vocab_size), chances, torch.zeros(0), torch.tensor([1.0]))
    value = loss(torch.zeros(0, tree.vocab_size), texts, asked, judgement).item()
    assert value == pytest.approx(-(chances * texts.log_softmax(dim=-1)).sum().item() / TOKENS, rel=1e-5)


def test_a_lexicon_learns_which_words_speak_for_what(tree: LabelTokenizer) -> None:
    named = {entity.name: entity for entity in tree.entities}
    kind, colour = named["kind"].taxonomy, named["colour"]
    rng = np.random.default_rng(0)

    def told(red: bool, leaf: int | None) -> Product:
        noise = " ".join(f"w{n}" for n in rng.integers(0, 300, 6))
        labels = {"colour": colour.labels.index("red" if red else "blue")}
        labels["kind"] = kind.index(("A",) if leaf is None else kind.leaves[leaf])
        word = "thing" if leaf is None else f"leaf{leaf}"
        return Product("p", Path("p.jpg"), f"{word} {noise}", "Crimson!" if red else "navy", labels, {})

    bag_of_words = fit_lexicon([told(i % 3 == 0, (0, 1, 2, None)[i % 4]) for i in range(240)], tree)

    def lexicon(title: str, description: str) -> torch.Tensor:
        logits: torch.Tensor = bag_of_words(torch.from_numpy(hash_words(title, description)))
        return logits

    kinds, colours = tree.labels(named["kind"]), tree.labels(colour)
    votes = lexicon("the leaf2", "crimson")
    assert votes[colours.start : colours.stop].argmax() == colour.labels.index("red")
    assert lexicon("", "navy, w3")[colours.start : colours.stop].argmax() == colour.labels.index("blue")
    assert votes[kinds.start : kinds.stop].argmax() == 2
    # What was only seen as "A" speaks for leaves of A.
    thing = lexicon("thing", "")[kinds.start : kinds.stop]
    assert thing[:2].max() > thing[2] + 1
    assert not lexicon("", "...").any()
    assert not fit_lexicon([replace(told(True, 0), title="", description="")], tree).idf.any()


def test_ways_of_asking_count_as_far_as_they_are_right() -> None:
    rng = torch.Generator().manual_seed(0)
    truth = torch.randint(0, 4, (3000,), generator=rng)
    right = torch.nn.functional.one_hot(truth, 4).bool()
    sure, noise = 2.0 * right, torch.randn(3000, 4, generator=rng)
    # Logits that are three times too large, of answers that are as likely as 2 x right + noise says.
    told = torch.multinomial(torch.log_softmax(sure + noise, 1).exp(), 1, generator=rng)
    drawn = torch.nn.functional.one_hot(told[:, 0], 4).bool()
    (scale,) = fit_trust(3 * (sure + noise)[None], torch.zeros(4), drawn)
    assert scale.item() == pytest.approx(1 / 3, rel=0.1)
    # What says nothing counts next to nothing beside what does; two that err apart count both.
    heard, other = sure + 2 * noise, sure + 2 * torch.randn(3000, 4, generator=rng)
    trust = fit_trust(torch.stack([heard, torch.randn(3000, 4, generator=rng)]), torch.zeros(4), right)
    assert trust[1] < 0.1 * trust[0]
    both = fit_trust(torch.stack([heard, other]), torch.zeros(4), right)
    assert both.min() > 0.5 * both.max()
    # A parent is right where one of its leaves is: four of four say nothing of how much to trust.
    assert torch.isfinite(fit_trust(heard[None], torch.zeros(4), right | (right.roll(1, 1)))).all()


def test_batches_are_made_from_their_number_alone_and_never_show_an_answer(shop: Path) -> None:
    wanted = config(shop, text_share=1.0, hide_field_share=0.0, hide_word_share=0.0)
    products = read_products(wanted.sources[0], SCHEMA)
    batches = ProductBatches(products, LABELS, wanted, 0)
    assert len(batches) == 6
    inputs, right = batches[2]
    again, _ = ProductBatches(products, LABELS, wanted, 0)[2]
    assert all(torch.equal(a, b) for a, b in zip(vars(inputs).values(), vars(again).values(), strict=True))
    title = LABELS.prompt(SCHEMA["title"])
    for question in (inputs.prompt == title).nonzero().flatten():
        assert not inputs.word_mask[inputs.sample_index[question]].any()
    described = LABELS.prompt(SCHEMA["description"])
    owners = inputs.sample_index[inputs.prompt == described]
    # The description is asked for without any text and beside the title, never beside itself.
    assert {int(n) for n in inputs.word_mask[owners].sum(dim=1)} == {0, 3}
    assert set(inputs.field_index[inputs.word_mask].tolist()) == {TEXT_FIELDS.index("title")}
    assert len(right.labelled) + len(right.written) == len(inputs.prompt)
    assert right.tokens.shape == right.following.shape
    assert (right.tokens[:, 0] == LABELS.bos_id).all()


def test_augmented_pictures_keep_their_colours_and_their_box() -> None:
    pixels = torch.full((4, 3, 64, 64), 127, dtype=torch.uint8)
    pixels[:, 0, :, :48], pixels[:, 1:, :, :48] = 200, 40
    visible = torch.tensor([[0.75, 1.0]]).expand(4, 2)
    views = augment(pixels, visible, 96, torch.tensor([True] * 4), torch.Generator().manual_seed(1))
    assert views.shape == (4, 3, 96, 96)
    assert (views[:, :, :, 73:] == 127).all()
    seen = views[:, :, :, :72].transpose(0, 1).flatten(1)
    coloured = seen[:, seen[0] != 127]
    assert (coloured[0] > coloured[1] + 60).all() and torch.allclose(coloured[1], coloured[2], atol=2)
    # Whoever looks at another size sees the same.
    larger = augment(pixels, visible, 192, torch.tensor([True] * 4), torch.Generator().manual_seed(1))
    apart = (torch.nn.functional.avg_pool2d(larger, 2) - views).abs()
    assert apart.mean() < 1


def test_pictures_are_kept_by_number(shop: Path) -> None:
    products = read_products(config(shop).sources[0], SCHEMA)[:5]
    pixels, visible = Pictures(products, 64)(torch.tensor([3, 0]))
    assert pixels.shape == (2, 3, 64, 64) and pixels.dtype == torch.uint8 and visible.shape == (2, 2)
    box, shown = letterbox(decode_photo(products[3].photo.read_bytes()), 64)
    assert torch.equal(pixels[0], torch.from_numpy(box)) and visible[0].tolist() == pytest.approx(shown)
    (shop / "broken.jpg").write_bytes(b"no photo")
    with pytest.raises(ValueError, match=r"broken\.jpg: the bytes are not a photo"):
        Pictures([replace(products[0], photo=shop / "broken.jpg")], 64)


def test_wrong_configs_are_told_at_once(tmp_path: Path, shop: Path) -> None:
    file = tmp_path / "c.yaml"
    file.write_text(
        "preset: nano\nstem_start: efficientnet-lite0\nteachers: [t.safetensors]\nmix_share: 0.5\nepochs: 0\n"
        "smoothing: 1.5\nlevel_weights: []\n"
        "sources:\n"
        f"  - {{table: none.csv, photos: {shop / 'photos'}, photo: id, answers: [gender], colour: 3}}\n"
    )
    with pytest.raises(ValueError) as raised:
        load_config(file, ProductsConfig)
    for expected in (
        "epochs: 0 is not above 0",
        "minutes: missing",
        "fit the stem of small only, not of nano",
        "t.safetensors does not exist",
        "smoothing: 1.5",
        "level_weights: []",
        "none.csv does not exist",
        "sources[0].answers",
        "sources[0].colour: unknown",
    ):
        assert expected in str(raised.value)
    source = f"sources:\n  - {{table: {shop}/table.csv, photos: {shop}/photos, photo: id, answers: {{gender: kind}}}}\n"
    file.write_text(f"preset: nano\nminutes: 1\nepochs: 1\nmix_share: 0.5\n{source}")
    with pytest.raises(ValueError, match="mix_share: of mixed pictures only teachers know the answers"):
        load_config(file, ProductsConfig)


def test_shipped_configs_load() -> None:
    if not (DATA / "fashion").exists():
        pytest.skip("the labelled photos are not beside this checkout")
    shipped = load_config(CONFIGS / "products.yaml", ProductsConfig)
    assert load_config(CONFIGS / "products-stem.yaml", ProductsConfig).stem_start == shipped.stem_start
    assert load_config(CONFIGS / "products-words.yaml", ProductsConfig).teachers
    held_out = load_product_sources(CONFIGS / "products-val.yaml")
    assert all(len(read_products(source, SCHEMA)) > 600 for source in shipped.sources)
    assert not {s.table for s in shipped.sources} & {s.table for s in held_out}


def test_a_new_choice_is_an_entry_a_mapping_and_a_run(shop: Path, tmp_path: Path) -> None:
    """`pattern` is in no code: the schema gets an entry, the config names its column, the run teaches it."""
    entities = tmp_path / "entities.yaml"
    shipped = SCHEMA_FILE.read_text(encoding="utf-8").replace("taxonomies/", f"{SCHEMA_FILE.parent}/taxonomies/")
    entities.write_text(f"{shipped}  - name: pattern\n    kind: choice\n    labels: [Solid, Stripe]\n")
    file = tmp_path / "pattern.yaml"
    file.write_text(
        f"""
preset: nano
entities: {entities}
side: 96
frozen_blocks: 0
minutes: 5
epochs: 12
batch_size: 16
learning_rate: 0.003
ema: 0.9
hold_back: 0.15
keep_best: 2
sources:
  - table: {shop}/table.csv
    photos: {shop}/photos
    photo: id
    title: name
    answers:
      pattern: pattern
      category: kind
      title: name
"""
    )
    trainer = ProductsTrainer(load_config(file, ProductsConfig), tmp_path / "run", "cpu", lambda text: None)
    best = trainer.run()
    assert best is not None and best.picture["pattern"] >= 0.8 and best.with_text["category"] >= 0.8
    assert best.text_loss < 4  # a token of a title, of which there are a thousand: 7 where nothing was learned
    assert len(list((tmp_path / "run" / "best").iterdir())) == 2
    weights = tmp_path / "run" / "weights.safetensors"
    # What was fitted beside the network is in the file: votes of words, and how much each voice counts.
    fitted, pattern = load_file(weights), trainer.labels.entities.index(trainer.schema["pattern"])
    assert fitted["attributes.bag_of_words.weight"].any() and fitted["attributes.bag_of_words.idf"].any()
    assert not torch.equal(fitted["attributes.member_weights"][pattern], torch.tensor([1.0, 0.5, 0.5, 0.0]))
    with pytest.raises(ValueError, match="other labels"):
        Predictor.load(weights, reader="builtin")
    predictor = Predictor.load(weights, schema=entities, reader="builtin")
    right = 0
    with (shop / "table.csv").open() as table:
        rows = list(csv.DictReader(table))[:24]
    for row in rows:
        photo = (shop / "photos" / row["id"]).read_bytes()
        result = predictor.predict(photo, ["pattern", "category", "articleType", "title"], top_k=2)
        answer = result.as_dict()["predictions"]
        right += answer["pattern"]["prediction"] == row["pattern"]
        assert {a["prediction"] for a in answer["pattern"]["alternatives"]} == {"Solid", "Stripe"}
        assert answer["category"]["value"][-1] in (
            answer["articleType"]["prediction"],
            *answer["category"]["value"][:2],
        )
        # So few epochs may end a title before its first word, see the loss above.
        assert isinstance(answer["title"]["prediction"], str)
    assert right >= 0.8 * len(rows)
    # The same command goes on where it stopped: here nothing is left to do.
    assert ProductsTrainer(load_config(file, ProductsConfig), tmp_path / "run", "cpu", lambda text: None).done

    # What was learned teaches another network, which sees mixed pictures too.
    pupil = replace(load_config(file, ProductsConfig), teachers=(weights,), mix_share=0.5, seed=1)
    learned = ProductsTrainer(pupil, tmp_path / "pupil", "cpu", lambda text: None).run()
    assert learned is not None and learned.picture["pattern"] >= 0.8 and learned.with_text["category"] >= 0.8

    # Words and answers learn on, the picture's side stays.
    words = replace(pupil, part_start=weights, patch_views=2, text_views=2, epochs=1, learning_rate=1e-4)
    further = ProductsTrainer(words, tmp_path / "words", "cpu", lambda text: None)
    assert further.run().picture["pattern"] >= 0.8  # type: ignore[union-attr]
    before, after = load_file(weights), load_file(tmp_path / "words" / "weights.safetensors")
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert any(name.startswith("attributes.encoder") for name in changed)
    assert not any(
        name.startswith(("attributes.backbone", "attributes.deep_stage", "attributes.patch_proj")) for name in changed
    )

    val = tmp_path / "val.yaml"
    val.write_text(f"sources:\n{file.read_text().split('sources:')[1]}")
    command = [str(val), str(tmp_path / "scores"), "--weights", str(weights), "--entities", str(entities)]
    assert evaluate(command) == 0
    scores = json.loads((tmp_path / "scores" / "results.json").read_text())
    assert scores["pattern"]["table, picture"]["rows"] == 96 and scores["pattern"]["table, picture"]["accuracy"] >= 0.8
    assert 0 <= scores["category"]["table, picture and text"]["hierarchical win"] <= 1
    assert scores["title"]["table, picture"]["SacreBLEU"] >= 0
    assert "| Stripe |" in (tmp_path / "scores" / "labels.md").read_text()
    assert (tmp_path / "scores" / "confusion-table-pattern-picture.png").stat().st_size > 5000
