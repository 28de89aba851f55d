"""Large programs, and what it costs to parse, check and lower them.

``python benchmarks/large_program.py [LINES …]`` prints seconds of this process and bytes per byte of text for each size.
"""

from __future__ import annotations

import sys
import time
import tracemalloc

from codeai.analysis.program import analyse
from codeai.language.parser import parse_module
from codeai.language.source import Sources

HEAD = """config { name: "large"  default_auth: required }
auth main { method: jwt  secret: secret(JWT_SECRET) }
role admin { permissions: ["*:*"] }
role clerk { permissions: ["orders:*"]  inherits: [admin] }
"""
UNIT = """
/// A product of shelf {n}
entity Product{n} {{
    id: uuid, primary, auto
    sku: string(40), required, unique
    name: string, required, searchable
    price: decimal(10,2), required, min(0)
    quantity: int, default(0)
    category: enum(book, game, tool), default("book")
    owner: string, required
    parent: ref(Product{parent})
    children: many(Product{child}.parent)
    label: string = "{{name}} ({{sku}})"
    created_at: timestamp, auto

    index: [owner, created_at desc]
    check: price >= 0 and quantity >= 0
    allow read: public
    allow create, update: user.has_role(clerk) or user.id == owner
    allow delete: user.has_permission("orders:delete")
    hide owner unless user.has_role(admin)
}}

event Sold{n} {{ payload {{ product_id: uuid, required, quantity: int, total: decimal(10,2) }} }}

resource Product{n} at /products-{n} {{
    auth: public
    list {{ filter_by: [category, price], sort_by: [price, created_at], page_size: 20 }}
    create, update, delete {{ roles: [clerk] }}
}}

function total{n}(price: decimal, quantity: int) -> decimal {{
    if quantity > 10 {{ return price * quantity * 0.9 }}
    return price * quantity
}}

endpoint POST /products-{n}/{{id}}/sales {{
    auth: required
    roles: [clerk]
    path {{ id: uuid }}
    body {{ quantity: int, required, min(1), note: text }}
    error 409: "not enough in stock"
    do {{
        let product = get Product{n}(path.id)
        require product.quantity >= body.quantity else fail 409 "not enough in stock"
        update product {{ quantity: product.quantity - body.quantity }}
        let sum = total{n}(product.price, body.quantity)
        if sum > 100 and body.note is not null {{
            log info "large sale of {{product.name}}" {{ sum: sum, note: body.note }}
        }}
        for other in select Product{n} where category == product.category order by price desc limit 5 {{
            update other {{ quantity: other.quantity + 1 }}
        }}
        emit Sold{n} {{ product_id: product.id, quantity: body.quantity, total: sum }}
        return {{ total: sum, left: product.quantity }} status 201
    }}
}}

on Sold{n} where event.total > 1000 {{ log info "sold {{event.quantity}}" {{ product: event.product_id }} }}
"""
LINES = UNIT.count("\n")


def large_program(lines: int) -> str:
    """A valid program of about that many lines."""
    count = max(1, (lines - HEAD.count("\n")) // LINES)
    return HEAD + "".join(UNIT.format(n=n, parent=(n + 1) % count, child=(n - 1) % count) for n in range(count))


def cost(text: str) -> tuple[float, float]:
    """Seconds to parse, check and lower, and the bytes that are held afterwards per byte of text."""
    best = min(_seconds(text) for _ in range(3 if len(text) < 200_000 else 1))
    tracemalloc.start()
    kept = _analysed(text)
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    del kept
    return best, size / len(text)


def _seconds(text: str) -> float:
    start = time.process_time()
    _analysed(text)
    return time.process_time() - start


def _analysed(text: str) -> object:
    sources = Sources()
    parsed = parse_module(sources.add("large.cai", text))
    analysis = analyse([parsed.module], sources, "large", parsed.diagnostics)
    return parsed, analysis, sources


if __name__ == "__main__":
    for size in [int(part) for part in sys.argv[1:]] or [1_000, 10_000, 100_000]:
        program = large_program(size)
        seconds, memory = cost(program)
        lines = program.count("\n")
        print(f"{lines:>7} lines {seconds * 1000:>9.1f} ms {seconds / lines * 1e6:>6.1f} µs a line {memory:>5.1f} bytes a byte")
