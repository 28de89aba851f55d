"""The program of these tests."""

PROGRAM = """
entity Counter {
    id: uuid, primary, auto
    name: string(40), required, unique
    value: int, default(0)
}
resource Counter at /counters { auth: public  list { filter_by: [name]  sort_by: [name, value] } }
endpoint POST /add/{name} {
    auth: public
    path { name: string }
    returns: Counter
    do {
        let counter = first Counter where name == path.name
        require counter is not null else fail 404
        return update counter { value: counter.value + 1 }
    }
}
endpoint POST /strict/{name} {
    auth: public
    isolation: serializable
    path { name: string }
    returns: Counter
    do {
        let counter = first Counter where name == path.name
        require counter is not null else fail 404
        let all = select Counter
        update Counter set value = counter.value + 1 where name == path.name
        return first Counter where name == path.name
    }
}
endpoint POST /swap/{one}/{other} {
    auth: public
    path { one: string  other: string }
    returns: json
    do {
        update Counter set value = value + 1 where name == path.one
        sleep 1s
        update Counter set value = value + 1 where name == path.other
        return { done: true }
    }
}
endpoint POST /hold {
    auth: public
    returns: json
    do {
        create Counter { name: "{uuid()}".replace("-", "") }
        sleep 400ms
        return { done: true }
    }
}
endpoint POST /keep { auth: public  returns: json  do { create Counter { name: "kept" }  sleep 4s  return { done: true } } }
endpoint POST /lock { auth: public  returns: json  do { create Counter { name: "locked" }  sleep 4s  return { done: true } } }
"""
