# What the same questions cost without the store: SQLite on rows, and the log's lines with grep and Python's json.
# The first argument says what to do; rows or lines come as told there; the answer is one line of JSON.
import json, resource, sqlite3, subprocess, sys, time

job = json.loads(sys.argv[1])


def measured(work, rounds=5, enough=10.0):
    """The median time by the clock and on processors, and what the work returned."""
    walls, processors, begin = [], [], time.perf_counter()
    while len(walls) < rounds and (not walls or time.perf_counter() - begin < enough):
        wall, processor = time.perf_counter(), busy()
        result = work()
        walls.append(time.perf_counter() - wall)
        processors.append(busy() - processor)
    middle = len(walls) // 2
    return {"wall": sorted(walls)[middle], "processor": sorted(processors)[middle], "result": result}


def busy():
    who = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return sum(used.ru_utime + used.ru_stime for used in map(resource.getrusage, who))


def first(rows):
    """The last value of the first row: how many failed, or when."""
    return rows[0][-1] if rows else None


def sqlite():
    database = sqlite3.connect(job["path"])
    for pragma in ("journal_mode=off", "synchronous=off", "cache_size=-262144", "temp_store=memory"):
        database.execute("pragma " + pragma)
    columns = job["columns"]
    database.execute("create table rows (%s)" % ", ".join(name + " " + kind for name, kind in columns))
    rows = (line.rstrip("\n").split("\t") for line in sys.stdin)
    places = ",".join("?" * len(columns))

    def load():
        database.executemany(f"insert into rows values ({places})", rows)
        database.execute("create index by_ray on rows (ray)")
        database.execute("create index by_time on rows (at)")
        database.commit()

    loaded = measured(load, rounds=1)
    asked = [measured(lambda: first(database.execute(sql).fetchall())) for sql in job["questions"]]
    rays = iter(job["rays"])
    look = lambda: database.execute("select * from rows where ray = ?", (next(rays),)).fetchall()
    looked = measured(look, rounds=len(job["rays"]))
    pages = database.execute("pragma page_count").fetchone()[0] * database.execute("pragma page_size").fetchone()[0]
    return {"load": loaded, "asked": asked, "ray": looked, "bytes": pages}


def lines():
    path = job["path"]

    def grep(*arguments):
        command = ["grep", *arguments, path]
        done = subprocess.run(command, env={"LC_ALL": "C", "PATH": "/usr/bin:/bin"}, stdout=subprocess.PIPE, text=True)
        return done.stdout

    def by_party():
        counts = {}
        with open(path, "rb") as file:
            for line in file:
                request = json.loads(line)
                key = request["ZoneName"], request.get("VerdictCode", "").split(".")[0]
                counts[key] = counts.get(key, 0) + 1
        return max((count for (_, party), count in counts.items() if party), default=0)

    return {
        "count": measured(lambda: int(grep("-c", '"VerdictCode"'))),
        "ray": measured(lambda: len(grep("-F", '"RayID":"%s"' % job["ray"]).splitlines())),
        "group": measured(by_party, rounds=3),
    }


json.dump({"sqlite": sqlite, "lines": lines}[job["what"]](), sys.stdout)
