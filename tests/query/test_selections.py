"""Selections on both databases: what they find, in which order, and what they carry."""

from decimal import Decimal

import pytest
from world import NOW, Opening, World, key

from codeai.query.errors import RowNotFound, TooManyRows

SHOP = """
entity Category { id: uuid, primary  name: string, required  products: many(Product.category) }
entity Product {
    id: uuid, primary
    name: string, required, searchable
    price: decimal(10,2), required
    weight: float
    stock: int
    active: bool, required
    released: date
    tags: list(string)
    category: ref(Category)
    deleted_at: timestamp, soft_delete
    label: string = "{name} ({price})"
    reviews: many(Review.product)
}
entity Review { id: uuid, primary  product: ref(Product), required  stars: int, required  text: text }
"""


@pytest.fixture
async def shop(world_of: Opening) -> World:
    world = await world_of(SHOP)
    await world.insert("Category", {"id": key(1), "name": "books"}, {"id": key(2), "name": "music"})
    rows = [
        (10, "Apple", "1.50", 3, True, 1, ["fruit", "red"]),
        (11, "banana", "0.25", None, True, 1, ["fruit"]),
        (12, "Cherry", "12.00", 0, False, 2, []),
        (13, "Ölsardine", "3.99", 7, True, None, None),
    ]
    await world.insert(
        "Product",
        *(
            {"id": key(id), "name": name, "price": Decimal(price), "stock": stock, "active": active, "tags": tags}
            | {"category": None if category is None else key(category)}
            for id, name, price, stock, active, category, tags in rows
        ),
        {"id": key(14), "name": "Ghost", "price": Decimal(9), "active": True, "deleted_at": NOW},
    )
    await world.insert(
        "Review",
        {"id": key(20), "product": key(10), "stars": 5, "text": "good"},
        {"id": key(21), "product": key(10), "stars": 2},
        {"id": key(22), "product": key(12), "stars": 1, "text": "bad"},
    )
    return world


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("price > 1.5", "Cherry Ölsardine"),
        ("price >= 1.50", "Apple Cherry Ölsardine"),
        ("price < 1.505", "Apple banana"),
        ("price == 1.505", ""),
        ("price != 1.505", "Apple Cherry banana Ölsardine"),
        ("price == 12", "Cherry"),
        ("price in [1.5, 3.99, 7.001]", "Apple Ölsardine"),
        ("price not in [1.5, 3.99]", "Cherry banana"),
        ("price between 1 and 4", "Apple Ölsardine"),
        ("not (price between 1 and 4)", "Cherry banana"),
        ("price * 2 == 3", "Apple"),
        ("price * stock == 4.5", "Apple"),
        ("price / 2 == 0.125", "banana"),
        ("price / 3 == 0.0833333333333333", "banana"),
        ("price % 1 == 0.5", "Apple"),
        ("-price < -3.98", "Cherry Ölsardine"),
        ("abs(price - 2) <= 0.5", "Apple"),
        ("round(price, 1) == 0.2", "banana"),
        ("floor(price) == 3", "Ölsardine"),
        ("ceil(price) == 2", "Apple"),
        ("min(price, 2) == 2", "Cherry Ölsardine"),
        ("max(stock, 1) == 1", "Cherry banana"),
        ("stock == null", "banana"),
        ("stock != null", "Apple Cherry Ölsardine"),
        ("stock == 3", "Apple"),
        ("stock != 3", "Cherry banana Ölsardine"),
        ("stock > 2", "Apple Ölsardine"),
        ("not (stock > 2)", "Cherry banana"),
        ("stock not in [3]", "Cherry banana Ölsardine"),
        ("stock + 1 > 3", "Apple Ölsardine"),
        ("stock / 2 == 1.5", "Apple"),
        ("stock % 2 == 1", "Apple Ölsardine"),
        ("(stock ?? 100) > 50", "banana"),
        ("active", "Apple banana Ölsardine"),
        ("not active", "Cherry"),
        ("active == false", "Cherry"),
        ("name == 'banana'", "banana"),
        ("name < 'a'", "Apple Cherry"),
        ("name contains 'an'", "banana"),
        ("name contains 'AN'", ""),
        ("name contains '%'", ""),
        ("name starts_with 'A'", "Apple"),
        ("name ends_with 'e'", "Apple Ölsardine"),
        ("not (name contains 'an')", "Apple Cherry Ölsardine"),
        ("lower(name) == 'ölsardine'", "Ölsardine"),
        ("upper(name) starts_with 'ÖL'", "Ölsardine"),
        ("name.length == 9", "Ölsardine"),
        ("name matches '^[A-C].*e$'", "Apple"),
        ("name matches '[ö-ü]|Ö'", "Ölsardine"),
        ("trim('  ' + name + ' ') == 'Apple'", "Apple"),
        ("replace(name, 'an', 'AN') == 'bANANa'", "banana"),
        ("label == 'Apple (1.50)'", "Apple"),
        ("name + '!' == 'Apple!'", "Apple"),
        ("tags contains 'fruit'", "Apple banana"),
        ("not (tags contains 'fruit')", "Cherry Ölsardine"),
        ("'red' in tags", "Apple"),
        ("tags.length == 0", "Cherry Ölsardine"),
        ("tags.any(t => t starts_with 'r')", "Apple"),
        ("tags.all(t => t == 'fruit')", "Cherry banana Ölsardine"),
        ("category.name == 'books'", "Apple banana"),
        ("category.name != 'books'", "Cherry Ölsardine"),
        ("category == null", "Ölsardine"),
        ("category.name == null", "Ölsardine"),
        ("category == '00000000-0000-0000-0000-000000000002'", "Cherry"),
        ("category == 'no uuid'", ""),
        ("category != 'no uuid'", "Apple Cherry banana Ölsardine"),
        ("reviews.count > 1", "Apple"),
        ("reviews.length == 0", "banana Ölsardine"),
        ("reviews.any(r => r.stars >= 5)", "Apple"),
        ("reviews.all(r => r.stars >= 2)", "Apple banana Ölsardine"),
        ("reviews.any(r => r.text == null)", "Apple"),
        ("reviews.sum(r => r.stars) == 7", "Apple"),
        ("reviews.avg(r => r.stars) == 3.5", "Apple"),
        ("reviews.map(r => r.stars).max() == 1", "Cherry"),
        ("reviews.map(r => r.stars) contains 5", "Apple"),
        ("reviews.filter(r => r.stars > 1).count == 2", "Apple"),
        ("category.products.count == 2", "Apple banana"),
        ("exists Review where product == Product.id and stars == 1", "Cherry"),
        ("active ? stock == 3 : price == 12", "Apple Cherry"),
        ("price > (active ? 3 : 100)", "Ölsardine"),
    ],
)
async def test_a_condition_finds_its_rows(shop: World, condition: str, expected: str) -> None:
    assert " ".join(await shop.names(f"select Product where {condition} order by name")) == expected


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("select Product order by stock", "Cherry Apple Ölsardine banana"),
        ("select Product order by stock desc", "Ölsardine Apple Cherry banana"),
        ("select Product order by active desc, price desc", "Ölsardine Apple banana Cherry"),
        ("select Product order by category.name desc, name", "Cherry Apple banana Ölsardine"),
        ("select Product order by reviews.count desc, name limit 2", "Apple Cherry"),
        ("select Product order by name limit 2 offset 1", "Cherry banana"),
        ("select Product with deleted where name == 'Ghost'", "Ghost"),
        ("select Product search 'apple'", "Apple"),
        ("select Product search 'apple cherry'", ""),
        ("select Product search ''", ""),
    ],
)
async def test_rows_come_in_order_with_nulls_last(shop: World, query: str, expected: str) -> None:
    assert " ".join(await shop.names(query)) == expected


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("count(Product)", 4),
        ("count(Product where active)", 3),
        ("sum(Product.price)", Decimal("17.74")),
        ("sum(Product.price where name == 'none')", 0),
        ("sum(Product.stock)", 10),
        ("avg(Product.stock)", Decimal("3.3333333333333333")),
        ("avg(Product.price where name == 'none')", None),
        ("min(Product.name)", "Apple"),
        ("max(Product.price)", Decimal("12.00")),
        ("min(Product.id)", key(10)),
        ("sum(Product.price * Product.stock)", Decimal("32.43")),
        ("exists Product where stock == 0", True),
        ("exists Product where stock == 99", False),
        ("first Product where price > 100", None),
        (
            "select category, count(*) as n, sum(price) as total from Product group by category order by n desc, total",
            [
                {"category": key(1), "n": 2, "total": Decimal("1.75")},
                {"category": None, "n": 1, "total": Decimal("3.99")},
                {"category": key(2), "n": 1, "total": Decimal("12.00")},
            ],
        ),
        ("select category, count(*) as n from Product group by category having n > 1", [{"category": key(1), "n": 2}]),
        (
            "select lower(name) as low, count(*) as n from Product group by low having n > 0 order by low limit 1",
            [{"low": "apple", "n": 1}],
        ),
        (
            "select price * 2 as double, count(*) as n from Product group by double order by double limit 1",
            [{"double": Decimal("0.50"), "n": 1}],
        ),
        ("select upper(name) as name, count(*) as n from Product group by name order by name limit 1", [{"name": "APPLE", "n": 1}]),
        ("select count(*) as n, avg(stars) as mean from Review where stars > 100", {"n": 0, "mean": None}),
        ("select name, price * 2 as double from Product where stock == 3", [{"name": "Apple", "double": Decimal("3.00")}]),
        (
            "select name, Review.stars as stars from Product join Review on Review.product == Product.id order by stars",
            [{"name": "Cherry", "stars": 1}, {"name": "Apple", "stars": 2}, {"name": "Apple", "stars": 5}],
        ),
    ],
)
async def test_aggregates_and_columns(shop: World, query: str, expected: object) -> None:
    assert await shop.run(query) == expected


async def test_a_first_row_without_an_order_is_that_of_the_lowest_key(shop: World) -> None:
    assert (await shop.run("first Product where active"))["id"] == key(10)


async def test_rows_are_in_value_form(shop: World) -> None:
    row = await shop.run("first Product where name == 'Apple'")
    assert row == {
        "id": key(10),
        "name": "Apple",
        "price": Decimal("1.50"),
        "weight": None,
        "stock": 3,
        "active": True,
        "released": None,
        "tags": ["fruit", "red"],
        "category": key(1),
        "deleted_at": None,
    }
    assert type(row["active"]) is bool


async def test_relations_are_loaded_by_one_statement_each(shop: World) -> None:
    rows = await shop.run("select Product with category, reviews order by name")
    assert len(shop.session.statements) == 3
    assert [row["@category"] and row["@category"]["name"] for row in rows] == ["books", "music", "books", None]
    assert [[review["stars"] for review in row["@reviews"]] for row in rows] == [[5, 2], [1], [], []]
    assert rows[0]["@expand"] == ("category", "reviews")


async def test_nested_relations_are_loaded_by_one_statement_each(shop: World) -> None:
    rows = await shop.run("select Category with products.reviews order by name")
    assert len(shop.session.statements) == 3
    products = [product for row in rows for product in row["@products"]]
    assert [product["name"] for product in products] == ["Apple", "banana", "Cherry"]
    assert [len(product["@reviews"]) for product in products] == [2, 0, 1]


async def test_a_soft_deleted_row_is_out_of_sight_through_relations_too(shop: World) -> None:
    await shop.insert("Review", {"id": key(23), "product": key(14), "stars": 4})
    assert await shop.run("count(Review where product.name == 'Ghost')") == 0
    assert await shop.run("count(Review where product.name == 'Ghost' with deleted)") == 1
    assert await shop.run("count(Product with deleted)") == await shop.run("count(Product)") + 1
    rows = await shop.run("select Review with product where stars == 4")
    assert rows[0]["@product"] is None


async def test_get_without_a_row_is_not_found(shop: World) -> None:
    statement = shop.query(f"get Product('{key(99)}')")
    with pytest.raises(RowNotFound, match="no such 'Product'"):
        await shop.run(statement)


async def test_more_than_a_thousand_rows_without_a_limit_are_an_error(shop: World) -> None:
    await shop.insert("Category", *({"id": key(1000 + at), "name": f"c{at}"} for at in range(1200)))
    with pytest.raises(TooManyRows):
        await shop.run("select Category")
    assert len(await shop.run("select Category limit 1100")) == 1100
    assert len(await shop.run("select Category where name < 'c2' order by name limit 2000")) == 313
