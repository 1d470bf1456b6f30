from resformer.scripts.docs_site.repository_links import links_of, rewrite_links

TEXT = """\
[own](api.md#errors), [file](../handler/openapi.yaml), ![image](row.png)
[site](https://example.com/a.md), [here](#here)
```
[not a link](api.md)
```
"""


def test_links_are_paths_in_the_repository() -> None:
    assert list(links_of(TEXT, "docs/training.md")) == ["docs/api.md", "handler/openapi.yaml", "docs/row.png"]


def test_links_lead_to_pages() -> None:
    pages = {"docs/api.md": "api.md", "handler/openapi.yaml": "reference/http-api.md"}
    rewritten = rewrite_links(TEXT, "docs/training.md", "how/training.md", pages, "docs")
    assert rewritten.splitlines() == [
        "[own](../api.md#errors), [file](../reference/http-api.md), ![image](../row.png)",
        *TEXT.splitlines()[1:],
    ]
