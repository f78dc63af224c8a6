import pytest

from bellwether.portfolio.importing.columns import Field, MappingError, folded_column, map_columns, parse_pairs
from bellwether.portfolio.importing.values import text

FIELDS = (
    Field(name="organization_id", parser=text(), about="", required=True, aliases=("accountid", "id")),
    Field(name="name", parser=text(), about="", aliases=("accountname",)),
    Field(name="segment", parser=text(), about=""),
)


class TestMapColumns:
    def test_finds_columns_by_name_whatever_the_case_and_vendor_marks(self):
        mapping = map_columns(["Organization ID", "property_name", "Segment__c"], FIELDS)
        assert mapping.columns == {
            "organization_id": "Organization ID",
            "name": "property_name",
            "segment": "Segment__c",
        }

    def test_finds_columns_by_other_systems_names_in_the_order_of_the_aliases(self):
        mapping = map_columns(["Id", "AccountId", "AccountName"], FIELDS)
        assert mapping.columns == {"organization_id": "AccountId", "name": "AccountName"}
        assert mapping.ignored == ("Id",)

    def test_lets_what_the_operator_says_win(self):
        mapping = map_columns(["id", "code", "name"], FIELDS, given=[("code", "organization_id"), ("name", "")])
        assert mapping.columns == {"organization_id": "code"}
        assert mapping.ignored == ("id", "name")

    def test_lets_one_column_feed_two_fields(self):
        mapping = map_columns(["code"], FIELDS, given=[("code", "organization_id"), ("code", "name")])
        assert mapping.columns == {"organization_id": "code", "name": "code"}

    def test_names_the_columns_when_a_required_field_has_none(self):
        with pytest.raises(
            MappingError, match=r"No column of the file is organization_id. It has a, b. .*--map THEIRS="
        ):
            map_columns(["a", "b"], FIELDS)

    def test_takes_a_constant_for_a_required_field(self):
        mapping = map_columns(["name"], FIELDS, constants=[("organization_id", "acme")])
        assert mapping.constants == {"organization_id": "acme"}

    def test_suggests_the_likely_spelling(self):
        with pytest.raises(MappingError, match=r"no field 'segmnt' here \(did you mean segment\?\)"):
            map_columns(["id", "x"], FIELDS, given=[("x", "segmnt")])
        with pytest.raises(MappingError, match=r"'acount'.* \(did you mean account\?\)"):
            map_columns(["id", "account"], FIELDS, given=[("acount", "name")])

    def test_refuses_two_columns_for_one_field(self):
        with pytest.raises(MappingError, match="two columns: a and b"):
            map_columns(["a", "b"], FIELDS, given=[("a", "name"), ("b", "name")])
        with pytest.raises(MappingError, match="both --map a=name and --set name"):
            map_columns(["a", "id"], FIELDS, given=[("a", "name")], constants=[("name", "x")])

    def test_infers_constants_only_for_fields_without_a_column(self):
        infer = lambda columns: {"name": "inferred", "segment": "inferred"}  # noqa: E731
        mapping = map_columns(["id", "name"], FIELDS, infer=infer)
        assert mapping.constants == {"segment": "inferred"}


class TestParsePairs:
    def test_splits_at_the_last_mark_of_a_map_and_the_first_of_a_set(self):
        assert parse_pairs(["a=b=name", "x="], option="--map") == [("a=b", "name"), ("x", "")]
        assert parse_pairs(["name=a=b"], option="--set") == [("name", "a=b")]

    @pytest.mark.parametrize("pair", ["name", "=name"])
    def test_refuses_what_is_no_pair(self, pair: str):
        with pytest.raises(MappingError, match="THEIRS=OURS"):
            parse_pairs([pair], option="--map")


class TestFoldedColumn:
    def test_drops_what_only_the_vendor_means(self):
        assert folded_column("property_hs_ticket_priority") == "ticketpriority"
        assert folded_column("ARR__c") == "arr"
        assert folded_column("properties.module") == "module"
        assert folded_column("isBot") == folded_column("is_bot") == "isbot"
