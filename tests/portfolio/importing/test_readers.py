from pathlib import Path
from typing import Any

import polars as pl
import pytest

from bellwether.portfolio.importing.readers import ImportFileError, Source, open_source
from tests.portfolio.importing.files import write_csv, write_json_lines, write_xlsx


def rows_of(source: Source, size: int = 2) -> list[tuple[int, dict[str, Any]]]:
    return [
        (number, cells)
        for batch in source.read(size)
        for number, cells in zip(batch.rows, batch.frame.iter_rows(named=True), strict=True)
    ]


def complaints_of(source: Source) -> list[str]:
    return [str(reject) for batch in source.read(100) for reject in batch.unreadable]


class TestDelimitedText:
    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
    @pytest.mark.parametrize("mark", [",", ";", "\t", "|"])
    def test_finds_encoding_and_delimiter(self, tmp_path: Path, encoding: str, mark: str):
        body = f"id{mark}name\n1{mark}Zoë\n2{mark}Ärzte\n"
        source = open_source(write_csv(tmp_path / "a.csv", body, encoding))
        assert source.columns == ["id", "name"]
        assert rows_of(source) == [(2, {"id": "1", "name": "Zoë"}), (3, {"id": "2", "name": "Ärzte"})]

    def test_keeps_delimiters_and_line_ends_within_quotes(self, tmp_path: Path):
        source = open_source(write_csv(tmp_path / "a.csv", 'id,note\n1,"a, ""b""\nc"\n2,d\n'))
        assert [cells["note"] for _, cells in rows_of(source)] == ['a, "b"\nc', "d"]

    def test_goes_on_after_a_row_with_too_few_or_too_many_cells(self, tmp_path: Path):
        source = open_source(write_csv(tmp_path / "a.csv", "id,name\n1,a\n2\n3,c,x\n4,d\n"))
        assert complaints_of(source) == [
            "row 3: the row has 1 cells, the header 2",
            "row 4: the row has 3 cells, the header 2",
        ]
        assert [number for number, _ in rows_of(source)] == [2, 5]

    def test_passes_over_blank_lines(self, tmp_path: Path):
        source = open_source(write_csv(tmp_path / "a.csv", "\nid,name\n\n1,a\n,\n"))
        assert rows_of(source) == [(4, {"id": "1", "name": "a"})]

    def test_names_columns_that_stand_twice(self, tmp_path: Path):
        with pytest.raises(ImportFileError, match=r"same name: 'id' \(1 and 3\)"):
            open_source(write_csv(tmp_path / "a.csv", "id,name,id\n1,2,3\n"))

    @pytest.mark.parametrize("text", ["", "\n\n"])
    def test_says_that_a_file_is_empty(self, tmp_path: Path, text: str):
        with pytest.raises(ImportFileError, match="is empty"):
            open_source(write_csv(tmp_path / "a.csv", text))

    def test_gives_no_rows_for_a_header_alone(self, tmp_path: Path):
        assert rows_of(open_source(write_csv(tmp_path / "a.csv", "id,name\n"))) == []


class TestOtherFiles:
    def test_reads_the_first_sheet_with_the_sheets_row_numbers(self, tmp_path: Path):
        path = write_xlsx(tmp_path / "a.xlsx", [["id", "seats"], ["a", 5], [None, None], ["b", "many"]])
        source = open_source(path)
        assert source.columns == ["id", "seats"]
        assert [(n, c["id"]) for n, c in rows_of(source)] == [(2, "a"), (4, "b")]
        with pytest.raises(ImportFileError, match="no sheet 'X'; it has Accounts"):
            open_source(path, sheet="X")

    def test_reads_json_lines_and_flattens_objects(self, tmp_path: Path):
        records = [{"id": 1, "context": {"groupId": "acme"}}, {"id": "b", "tags": ["x"]}]
        source = open_source(write_json_lines(tmp_path / "a.jsonl", records))
        assert source.columns == ["id", "context.groupId", "tags"]
        assert rows_of(source) == [
            (1, {"id": "1", "context.groupId": "acme", "tags": None}),
            (2, {"id": "b", "context.groupId": None, "tags": '["x"]'}),
        ]

    def test_goes_on_after_a_line_that_is_no_object(self, tmp_path: Path):
        path = write_csv(tmp_path / "a.jsonl", '{"id": 1}\n{"id": \n[1]\n\n{"id": 2}\n')
        source = open_source(path)
        assert [complaint[:27] for complaint in complaints_of(source)] == [
            "row 2: the line is not JSON",
            "row 3: the line is not a JS",
        ]
        assert [number for number, _ in rows_of(source)] == [1, 5]

    def test_tells_a_json_list_from_json_lines(self, tmp_path: Path):
        with pytest.raises(ImportFileError, match="one JSON list"):
            open_source(write_csv(tmp_path / "a.json", '[{"id": 1}]'))

    def test_streams_parquet_with_typed_and_nested_cells(self, tmp_path: Path):
        frame = pl.DataFrame({"id": ["a", "b", "c"], "n": [1, 2, None], "p": [{"x": 1.5}, {"x": None}, {"x": 2.0}]})
        frame = frame.with_columns(pl.col("id").cast(pl.Categorical))
        frame.write_parquet(tmp_path / "a.parquet")
        source = open_source(tmp_path / "a.parquet")
        assert (source.columns, source.total) == (["id", "n", "p.x"], 3)
        assert rows_of(source)[2] == (3, {"id": "c", "n": None, "p.x": 2.0})

    def test_says_what_is_wrong_with_a_path(self, tmp_path: Path):
        with pytest.raises(ImportFileError, match="no file"):
            open_source(tmp_path / "none.csv")
        with pytest.raises(ImportFileError, match="is a folder"):
            open_source(tmp_path)
        (tmp_path / "a.csv").write_bytes(b"\x1f\x8b\x08\x00")
        with pytest.raises(ImportFileError, match="gzip"):
            open_source(tmp_path / "a.csv")
        (tmp_path / "a.parquet").write_bytes(b"PAR1 and nothing more")
        with pytest.raises(ImportFileError, match="not a readable Parquet"):
            open_source(tmp_path / "a.parquet")
        (tmp_path / "a.xlsx").write_bytes(b"PK\x03\x04 and nothing more")
        with pytest.raises(ImportFileError, match="not a readable workbook"):
            open_source(tmp_path / "a.xlsx")
