"""Several hosts in database_url."""


def test_a_host_without_a_port_among_several_has_the_usual_one(postgres, start_leat):
    """As in postgresql://one,two:5432/name."""
    url = f"postgresql://postgres@/postgres?host={postgres.folder}/nothing,{postgres.folder}&port=,5432"
    leat = start_leat(database_url=url).wait_ready()
    leat.wait_for(lambda: leat.ask("GET", "/db/number/7").status == 200, "leat reaches the second host")


def test_a_last_host_without_a_port_has_the_usual_one(postgres, start_leat):
    url = f"postgresql://postgres@/postgres?host={postgres.folder}/nothing,{postgres.folder}&port=5432,"
    leat = start_leat(database_url=url).wait_ready()
    leat.wait_for(lambda: leat.ask("GET", "/db/number/7").status == 200, "leat reaches the second host")
