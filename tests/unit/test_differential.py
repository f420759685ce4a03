from tests.differential import compare, compare_documents


def test_production_ranks_as_the_reference_does_at_any_size_of_shards() -> None:
    counts = compare(3_000, 7, (40_000, 10_007))
    assert counts.returned > 100
    assert counts.rejected > 400
    assert 2_900 < counts.received <= 3_000  # a lone CR before an empty line is one line end


def test_tables_and_fasta_are_read_as_the_reference_does() -> None:
    compare_documents(500, 7)
