"""Plays hours of series to the alert rules, and says which alerts fire."""
import json
import re
import subprocess
import sys
import tempfile

RULES = "deploy/alerts/outbox-sidecar.yaml"
DASHBOARD = "deploy/dashboards/outbox-sidecar.json"
RUNBOOK = "deploy/alerts/README.md"

# An hour in which all is well, a value a minute. One relays, the other stands by.
WELL = {
    'outbox_build_info{job="shop", instance="a", version="1"}': "1x60",
    'outbox_build_info{job="shop", instance="b", version="1"}': "1x60",
    'outbox_lanes_held{job="shop", instance="a"}': "1x60",
    'outbox_lanes_held{job="shop", instance="b"}': "0x60",
    'outbox_broker_connected{job="shop", instance="a"}': "1x60",
    'outbox_broker_blocked{job="shop", instance="a"}': "0x60",
    'outbox_failed_total{job="shop", instance="a"}': "7x60",
    'outbox_parked_keys{job="shop", instance="a"}': "0x60",
    'outbox_paused{job="shop", instance="a"}': "0x60",
    'outbox_dead_letters{job="shop", instance="a", queue="dead"}': "900x90",
    'outbox_dead_letters_filed_total{job="shop", instance="a", queue="dead"}': "2x90",
    'outbox_dead_letters_refused_total{job="shop", instance="a", queue="dead"}': "1x90",
    'outbox_management_connected{job="shop", instance="a"}': "1x60",
    'outbox_management_connected{job="shop", instance="b"}': "0x60",
    'outbox_dead_letter_queues_left_out{job="shop", instance="a"}': "0x60",
    'outbox_webhook_total{job="shop", instance="a", outcome="delivered"}': "0+1x90",
    'outbox_webhook_total{job="shop", instance="a", outcome="given_up"}': "1x90",
    'outbox_webhook_pending{job="shop", instance="a"}': "3x90",
    'outbox_receipts_connected{job="shop", instance="a"}': "1x60",
    'outbox_receipts_overdue{job="shop", instance="a"}': "0x60",
    'outbox_receipts_total{job="shop", instance="a", outcome="recorded"}': "0+100x60",
    'outbox_receipts_total{job="shop", instance="a", outcome="unknown"}': "3x60",
    'outbox_database_errors_total{job="shop", instance="a", role="reader"}': "2x60",
    'outbox_leases_lost_total{job="shop", instance="a"}': "1x60",
    'outbox_oldest_due_age_seconds{job="shop", instance="a"}': "100x60",
    'outbox_backlog_counted_timestamp_seconds{job="shop", instance="a"}': "0+60x60",
    'outbox_backlog_counted_timestamp_seconds{job="shop", instance="b"}': "0x60",
    'outbox_oldest_transaction_age_seconds{job="shop", instance="a"}': "3000x60",
    'outbox_confirm_duration_seconds_bucket{job="shop", instance="a", le="1"}': "0+100x60",
    'outbox_confirm_duration_seconds_bucket{job="shop", instance="a", le="10"}': "0+100x60",
    'outbox_confirm_duration_seconds_bucket{job="shop", instance="a", le="+Inf"}': "0+100x60",
}

# What happens; the series that are otherwise, by a part of their names, or new; and which alerts fire at which minute.
STORIES = [
    ("all is well", {}, {5: [], 30: [], 59: []}),
    ("messages wait, for longer than a moment", {"oldest_due": "100x9 300x50"}, {14: [], 16: ["OutboxMessagesWait"]}),
    ("messages wait for a moment", {"oldest_due": "100x9 300x3 100x50"}, {16: []}),
    ("nobody relays", {'lanes_held{job="shop", instance="a"': "1x9 0x50"}, {11: [], 13: ["OutboxRelayedByNobody"]}),
    ("another takes over", {'lanes_held{job="shop", instance="a"': "1x9 0x50",
                            'lanes_held{job="shop", instance="b"': "0x10 1x50"}, {13: []}),
    ("of several sources one is relayed by nobody", {
        'outbox_lanes_held{job="shop", instance="a", source="orders"}': "1x60",
        'outbox_lanes_held{job="shop", instance="a", source="billing"}': "1x9 0x50",
    }, {11: [], 13: ["OutboxRelayedByNobody"]}),
    ("messages of one source wait, and are counted by nobody of another", {
        'outbox_oldest_due_age_seconds{job="shop", instance="a", source="orders"}': "100x9 300x50",
        'outbox_backlog_counted_timestamp_seconds{job="shop", instance="a", source="orders"}': "0+60x60",
        'outbox_backlog_counted_timestamp_seconds{job="shop", instance="a", source="billing"}': "0x60",
    }, {9: [], 30: ["OutboxBacklogUncounted", "OutboxMessagesWait"]}),
    ("no sidecar answers", {"outbox": "1x9 stale"}, {14: [], 16: ["OutboxSidecarGone"]}),
    ("one of two sidecars answers", {'build_info{job="shop", instance="b"': "1x9 stale"}, {30: []}),
    ("the broker is away", {"broker_connected": "1x9 0x50"}, {14: [], 16: ["OutboxBrokerDown"]}),
    ("the broker is blocked", {"broker_blocked": "0x9 1x50"}, {14: [], 16: ["OutboxBrokerBlocked"]}),
    ("a message fails", {"failed_total": "7x9 8x50"}, {9: [], 11: ["OutboxMessagesFailed"], 25: []}),
    ("messages are parked", {"parked_keys": "0x9 2x50"}, {20: [], 26: ["OutboxParked"]}),
    ("messages are parked for a moment", {"parked_keys": "0x9 2x10 0x40"}, {26: []}),
    ("a sidecar is paused", {"paused": "0x9 1x50"}, {38: [], 42: ["OutboxPaused"]}),
    ("a sidecar is paused for a while", {"paused": "0x9 1x20 0x30"}, {42: []}),
    ("the database is lost once", {"database_errors": "2x9 3x50"}, {12: []}),
    ("the database is lost again and again", {"database_errors": "2x9 3+1x50"}, {20: ["OutboxDatabaseErrors"]}),
    ("a lease is lost", {"leases_lost": "1x9 2x50"}, {9: [], 11: ["OutboxLeaseLost"], 30: []}),
    ("one confirm in ten is slow", {'le="1"': "0+90x60"}, {9: [], 14: ["OutboxConfirmsSlow"]}),
    ("a dead letter is filed", {"letters_filed": "2x9 3x50"}, {9: [], 11: ["OutboxDeadLettersFiled"], 30: []}),
    ("a dead letter stays", {"letters_refused": "1x9 2x50"}, {9: [], 11: ["OutboxDeadLettersStay"], 30: []}),
    ("many dead letters wait", {"dead_letters{": "1100x90"}, {55: [], 61: ["OutboxDeadLettersWait"]}),
    ("the management API is away", {'management_connected{job="shop", instance="a"': "1x9 0x50"},
     {20: [], 26: ["OutboxManagementDown"]}),
    ("no pattern asks for it", {"management_connected": "0x60"}, {30: []}),
    ("too many queues are meant", {"left_out": "0x9 3x50"}, {20: [], 26: ["OutboxDeadLetterQueuesLeftOut"]}),
    ("a failure is not told", {'outcome="given_up"': "1x9 2x80"}, {9: [], 11: ["OutboxWebhookGivenUp"], 30: []}),
    ("the webhook reaches nobody", {'outcome="delivered"': "0+1x9 9x80"}, {30: [], 45: ["OutboxWebhookWaits"]}),
    ("the webhook has nothing to tell", {'outcome="delivered"': "9x90", "webhook_pending": "0x90"}, {45: []}),
    ("receipts are overdue", {"receipts_overdue": "0x9 4x50"}, {20: [], 26: ["OutboxReceiptsOverdue"]}),
    ("the queue of receipts is not read", {"receipts_connected": "1x9 0x50"}, {15: [], 21: ["OutboxReceiptsUnread"]}),
    ("there was never such a queue", {"receipts_connected": "0x60"}, {30: []}),
    ("a receipt is for no message", {'outcome="unknown"': "3x9 4x50"}, {9: [], 11: ["OutboxReceiptsUnknown"], 30: []}),
    ("nobody counts any more", {'counted_timestamp_seconds{job="shop", instance="a"': "0+60x9 600x50"},
     {20: [], 26: ["OutboxBacklogUncounted"]}),
    ("a transaction stays open", {"oldest_transaction": "3540+60x60"}, {6: [], 8: ["OutboxOldTransaction"]}),
]


def series_of(changes):
    series = dict(WELL)
    for part, values in changes.items():
        for name in [name for name in WELL if part in name] or [part]:
            series[name] = values
    return [{"series": name, "values": values} for name, values in series.items()]


def rule_test(changes, minute, alerts):
    return {"interval": "1m", "input_series": series_of(changes), "promql_expr_test": [
        {"expr": 'count by (alertname) (ALERTS{alertstate="firing"})', "eval_time": f"{minute}m",
         "exp_samples": [{"labels": f'{{alertname="{name}"}}', "value": 1} for name in alerts]}]}


def promtool(*arguments):
    return subprocess.run(["promtool", *arguments], capture_output=True, text=True)


def expressions():
    with open(DASHBOARD) as file:
        for panel in json.load(file)["panels"]:
            for target in panel["targets"]:
                yield target["expr"].replace("$__rate_interval", "5m").replace("$job", ".*")


def main():
    passed = failed = 0

    def check(what, good, why=""):
        nonlocal passed, failed
        passed, failed = passed + bool(good), failed + (not good)
        print(f"ok      {what}" if good else f"{why}\nFAILED: {what}")

    outcome = promtool("check", "rules", RULES)
    check("the rules are valid", outcome.returncode == 0, outcome.stdout + outcome.stderr)
    with open(RULES) as rules, open(RUNBOOK) as runbook:
        alerts = re.findall(r"alert: (\w+)", rules.read())
        check("each alert has its runbook, and each runbook its alert",
              alerts == re.findall(r"^## (\w+)", runbook.read(), re.M), alerts)
    fired = {name for _, _, expected in STORIES for names in expected.values() for name in names}
    check("each alert fires in some story", fired == set(alerts), set(alerts) ^ fired)
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["cp", RULES, f"{folder}/rules.yaml"], check=True)
        for what, changes, expected in STORIES:
            with open(f"{folder}/test.yaml", "w") as file:  # JSON is YAML
                json.dump({"rule_files": ["rules.yaml"], "evaluation_interval": "1m",
                           "tests": [rule_test(changes, *one) for one in expected.items()]}, file)
            outcome = promtool("test", "rules", f"{folder}/test.yaml")
            check(what, outcome.returncode == 0, outcome.stdout + outcome.stderr)
        shown = list(expressions())
        with open(f"{folder}/dashboard.yaml", "w") as file:
            json.dump({"groups": [{"name": "dashboard", "rules": [
                {"record": f"panel:{number}", "expr": text} for number, text in enumerate(shown)]}]}, file)
        outcome = promtool("check", "rules", f"{folder}/dashboard.yaml")
        check(f"the dashboard's {len(shown)} expressions are valid", shown and outcome.returncode == 0, outcome.stderr)
    print(f"{passed} passed, {failed} failed")
    sys.exit(failed > 0)


main()
