"""Faults of the database, and of those who use it besides. A sidecar that lives through them keeps in mind what it has
sent, so they allow no duplicates, unless it has to start over."""
import contextlib
import threading
import time

import pymysql

from multiplexer import Multiplexer
from registry import scenario
from stage import PASSWORD, WHEN_KILLED


@scenario("database-killed", "kill -9, started again")
def killed(stage):
    sidecar = stage.sidecar()
    stage.begin()
    stage.servers.kill("mariadb")
    stage.wait(lambda: sidecar.count("database_down"), "the sidecar notices")
    stage.servers.start("mariadb")
    stage.mended()


@scenario("database-restarted", "stopped in good order, started again")
def restarted(stage):
    stage.sidecar()
    stage.begin()
    stage.servers.stop("mariadb")
    stage.pause(1)
    stage.servers.start("mariadb")
    stage.mended()


@scenario("database-frozen", "SIGSTOP for longer than the query timeout, SIGCONT")
def frozen(stage):
    sidecar = stage.sidecar()
    stage.begin()
    with stage.servers.frozen("mariadb"):
        stage.wait(lambda: sidecar.count("database_down"), "the sidecar notices")
        stage.pause(1)
    stage.mended()


@scenario("database-read-only", "read-only for a while, as a server that was demoted")
def read_only(stage):
    sidecar = stage.sidecar()
    stage.begin()
    stage.execute("SET GLOBAL read_only = 1")
    try:
        stage.wait(lambda: sidecar.count("database_down", "read"), "the sidecar notices")
        stage.pause(2)
    finally:
        stage.execute("SET GLOBAL read_only = 0")
    stage.mended()


@scenario("database-password-changed", "the account gets another password, and the sidecar is told so by file and SIGHUP")
def password_changed(stage):
    secret = f"{stage.folder}/password"
    with open(secret, "w", encoding="utf-8") as file:
        file.write(PASSWORD)
    # The application has an account of its own.
    other = f"{stage.user}_app"
    stage.execute(f"CREATE USER {other}@'127.0.0.1' IDENTIFIED BY 'other'")
    stage.execute(f"GRANT ALL ON {stage.database}.* TO {other}@'127.0.0.1'")
    sidecar = stage.sidecar({"database.password": "", "database.password_file": secret})
    stage.begin(connect=lambda: stage.servers.login(other, "other", stage.database))
    stage.execute(f"ALTER USER {stage.user}@'127.0.0.1' IDENTIFIED BY '{PASSWORD}2'")
    stage.execute(f"KILL USER {stage.user}@'127.0.0.1'")
    stage.wait(lambda: sidecar.count("database_down", "Access denied"), "the login is refused")
    with open(secret, "w", encoding="utf-8") as file:
        file.write(PASSWORD + "2")
    # It starts over with what it could not record, as it can't before that.
    stage.fault(WHEN_KILLED)
    sidecar.reload()
    stage.mended()


def cut_settling(stage, before):
    proxy = stage.mysql_proxy()
    stage.sidecar(mysql_port=proxy.port)
    stage.begin()
    for _ in range(4):
        # The usual batch is one UPDATE, which commits by itself; one with failed rows in it is a transaction.
        for statement in (b"UPDATE", b"COMMIT"):
            sprung = proxy.trap(statement, before)
            stage.wait(sprung.is_set, f"the connection is cut at {statement.decode()}")
    stage.mended()


@scenario("commit-cut-before", "the database's connection cut before the server has the UPDATE, or the COMMIT")
def commit_cut_before(stage):
    cut_settling(stage, before=True)


@scenario("commit-cut-after", "the database's connection cut when UPDATE or COMMIT are done, and the answer is not there")
def commit_cut_after(stage):
    cut_settling(stage, before=False)


@scenario("producer-commit-cut", "the application's connection cut before and after its COMMIT is done")
def producer_commit_cut(stage):
    proxy = stage.mysql_proxy()
    stage.sidecar()
    stage.begin(connect=lambda: stage.connect(proxy.port))
    for number in range(20):
        sprung = proxy.trap(b"COMMIT", before=number % 2 == 0)
        stage.wait(sprung.is_set, "the connection is cut at COMMIT")
    stage.mended()


@scenario("database-black-holed", "nothing passes between sidecar and database, and nobody says so")
def black_holed(stage):
    proxy = stage.mysql_proxy()
    sidecar = stage.sidecar(mysql_port=proxy.port)
    stage.begin()
    proxy.gate.clear()
    stage.wait(lambda: sidecar.count("database_down"), "the sidecar notices")
    stage.pause(1)
    proxy.gate.set()
    stage.mended()


BACKENDS = 4


@scenario("database-multiplexed", f"three replicas behind a proxy that has {BACKENDS} connections for all of theirs and "
          "carries nothing that they set: nothing twice")
def multiplexed(stage):
    # What the connections have instead of what the sidecars ask for.
    stage.execute("SET GLOBAL sql_mode = 'ANSI', tx_isolation = 'REPEATABLE-READ'")
    try:
        proxy = stage.keep(Multiplexer(lambda: stage.connect(autocommit=True), BACKENDS, stage.chance))
        replicas = [stage.sidecar({"relay.lanes": 4}, mysql_port=proxy.port) for _ in range(3)]
        stage.begin()
        stage.goes_on(500)
        if (code := replicas[0].stop()) != 0:
            stage.problems.append(f"a stop ended with {code}")
        stage.goes_on(500)
        replicas[0].start()
        stage.goes_on(500)
        stage.mended()
        stage.finish_early()
    finally:
        stage.execute("SET GLOBAL sql_mode = DEFAULT, tx_isolation = DEFAULT")
    if proxy.most_clients <= BACKENDS or proxy.most_seen < BACKENDS or not proxy.settings_dropped:
        stage.problems.append(f"hardly anything was multiplexed: {proxy.most_clients} clients, of which one saw "
                              f"{proxy.most_seen} connections, and {proxy.settings_dropped} settings")


SOON = 1500  # ms: rows that become due when everything is prepared


def rows_due_soon(stage, count=40):
    now = stage.execute("SELECT ROUND(UNIX_TIMESTAMP(NOW(3)) * 1000)")[0][0]
    names = [f"soon-{now}-{number:03}" for number in range(count)]
    stage.write([(name, "classic") for name in names], next_try_time=now + SOON)
    return names


def await_waiter(stage, connection):
    """Until a transaction waits for a lock that this connection's holds."""
    def there_is():
        return stage.execute(
            "SELECT COUNT(*) FROM information_schema.innodb_lock_waits AS w JOIN information_schema.innodb_trx AS t ON "
            "t.trx_id = w.blocking_trx_id WHERE t.trx_mysql_thread_id = %s", connection.thread_id())[0][0] > 0

    # These tables are made anew only when nobody has read them for 100 ms.
    stage.wait(there_is, "the sidecar waits for a lock", pause=0.15)


@scenario("lock-timeout", "somebody holds locks on rows that are being delivered, for longer than a lock is waited for")
def lock_timeout(stage):
    sidecar = stage.sidecar()
    stage.begin()
    names = rows_due_soon(stage)
    with contextlib.closing(stage.connect()) as holder, holder.cursor() as cursor:
        cursor.execute("SELECT id FROM msg_log WHERE id IN %s FOR UPDATE", (names[::10],))
        await_waiter(stage, holder)
        stage.wait(lambda: sidecar.count("database_error", "can't be settled now"), "it gives up waiting")
        stage.goes_on()  # the other rows are settled meanwhile
        holder.rollback()
    stage.mended()


@scenario("deadlock", "a deadlock with a settling UPDATE, in which the sidecar is the victim")
def deadlock(stage):
    stage.sidecar()
    stage.begin()
    stage.execute("CREATE TABLE ballast (id int AUTO_INCREMENT PRIMARY KEY, n int)")
    victims = stage.execute("SHOW GLOBAL STATUS LIKE 'Innodb_deadlocks'")
    for _ in range(3):
        names = rows_due_soon(stage)
        with contextlib.closing(stage.connect()) as other, other.cursor() as cursor:
            # The one that has changed less is chosen to give way.
            cursor.executemany("INSERT INTO ballast (n) VALUES (%s)", [(n,) for n in range(1000)])
            cursor.execute("SELECT id FROM msg_log WHERE id = %s FOR UPDATE", (names[-1],))
            await_waiter(stage, other)
            cursor.execute("SELECT id FROM msg_log WHERE id = %s FOR UPDATE", (names[0],))
            other.rollback()
    if stage.execute("SHOW GLOBAL STATUS LIKE 'Innodb_deadlocks'") == victims:
        stage.problems.append("there was no deadlock")
    stage.mended()


@scenario("table-locked-by-ddl", "an ALTER TABLE that waits for a long transaction, and everybody else for it")
def table_locked_by_ddl(stage):
    sidecar = stage.sidecar()
    stage.begin()

    def alter():
        with contextlib.suppress(pymysql.err.Error):
            stage.execute("ALTER TABLE msg_log ADD COLUMN note varchar(10), ALGORITHM = COPY")

    with contextlib.closing(stage.connect()) as reader, reader.cursor() as cursor:
        cursor.execute("SELECT COUNT(*) FROM msg_log")
        altering = threading.Thread(target=alter)
        altering.start()
        stage.wait(lambda: sidecar.count("database_down"), "the sidecar's statements wait too long")
        reader.rollback()
        altering.join()
    if not stage.execute("SHOW COLUMNS FROM msg_log LIKE 'note'"):
        stage.problems.append("the table was not altered")
    stage.mended()


@scenario("late-commit", "transactions that commit seconds after they began, with rows that were due minutes ago")
def late_commit(stage):
    stage.sidecar()
    stage.begin()
    now = stage.execute("SELECT ROUND(UNIX_TIMESTAMP(NOW(3)) * 1000)")[0][0]
    held = []
    for number, age in enumerate((0, 1_000, 60_000, 300_000)):
        connection = stage.connect()
        names = [(f"late-{number}-{row}", "quorum") for row in range(20)]
        stage.write(names, connection, next_try_time=now - age)
        held.append(connection)
    time.sleep(4)  # others commit meanwhile, and the relay's sweeps pass by
    for connection in held:
        connection.commit()
        connection.close()
        stage.pause(0.2)
    stage.mended()
