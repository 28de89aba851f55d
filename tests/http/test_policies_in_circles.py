"""Policies that look at each other's entities: each sees all rows, so that nothing goes in circles."""

from uuid import UUID

import pytest

PROGRAM = """
entity Team {
    id: uuid, primary, auto
    owner: uuid, required
    members: many(Member.team)

    allow create: true
    allow read: exists(Member where team == Team.id and person == user.id)
}
entity Member {
    id: uuid, primary, auto
    person: uuid, required
    team: ref(Team), required

    allow create: true
    allow read: exists(Team where id == Member.team and owner == user.id)
}
entity Note {
    id: uuid, primary, auto
    above: ref(Note)
    writer: uuid, required

    allow create: true
    allow read: writer == user.id or exists(Note where above == Note.id and writer == user.id)
}
auth main { method: jwt  secret: env(JWT_SECRET) }
resource Team at /teams { auth: required }
resource Member at /members { auth: required }
"""
ADA, BOB = UUID(int=1), UUID(int=2)


@pytest.fixture(scope="module")
def service(service_of, tmp_path_factory):
    program = tmp_path_factory.mktemp("circles") / "app.cai"
    program.write_text(PROGRAM)
    found = service_of(program)
    team = found.request("POST", "/teams", {"owner": str(ADA)}, token=found.token(ADA))
    assert team.status == 201, team.body
    member = found.request("POST", "/members", {"person": str(BOB), "team": team.json["id"]}, token=found.token(ADA))
    assert member.status == 201, member.body
    return found


@pytest.mark.parametrize(
    ("path", "ada", "bob"),
    [
        ("/teams", 0, 1),  # a member sees the team, though who is a member is not for the members to see
        ("/members", 1, 0),  # the owner sees who is a member, though the team is not for the owner to see
        ("/members?expand=team", 1, 0),
        ("/teams?expand=members", 0, 1),
    ],
)
def test_a_policy_sees_all_rows_of_the_other_entity(service, path, ada, bob):
    for person, count in ((ADA, ada), (BOB, bob)):
        answer = service.request("GET", path, token=service.token(person))
        assert (answer.status, len(answer.json["data"])) == (200, count)


def test_what_is_expanded_is_what_the_caller_may_read(service):
    [member] = service.request("GET", "/members?expand=team", token=service.token(ADA)).json["data"]
    assert member["team"] is None or isinstance(member["team"], str)
    [team] = service.request("GET", "/teams?expand=members", token=service.token(BOB)).json["data"]
    assert team["members"] == []
