// English. The same names as in every other file of words: test/console holds them together.
const messages = (n, count) => `${n} ${count === 1 ? 'message' : 'messages'}`;
const entries = (n, count) => `${n} ${count === 1 ? 'entry' : 'entries'}`;
const bound = (n, complete) => (complete ? n : `at least ${n}`);

const actions = {
    'retry messages': 'Retry messages', 'delete messages': 'Delete messages',
    'retry failures': 'Retry ledger entries', 'delete failures': 'Delete ledger entries',
};
const happenings = {
    created: 'Created', due: 'Due', failed: 'Failed', delivered: 'Delivered', consumed: 'Consumed', filed: 'Filed in the ledger',
    updated: 'Last change', changed: 'Last change', next_try: 'Next try', attempt: 'Attempt', retried: 'Retried', refused: 'Attempt failed', delivering: 'Waiting to be delivered',
};

export const words = {
    // places
    overview: 'Overview', messages: 'Messages', failures: 'Failures', dead_letters: 'Dead letters', lanes: 'Lanes',
    configuration: 'Configuration', jobs: 'Jobs', navigation: 'Main', skip_to_content: 'Skip to content', state: 'State',
    nav_overview: 'Overview', nav_messages: 'Messages', nav_failures: 'Failures', nav_dead_letters: 'Dead letters', nav_lanes: 'Lanes', nav_configuration: 'Config',
    // everywhere
    close: 'Close', cancel: 'Cancel', dismiss: 'Dismiss', notices: 'Notices', copy: 'Copy', copied: 'Copied.', copy_id: 'Copy id', copy_json: 'Copy JSON',
    reload: 'Reload', try_again: 'Try again', stop: 'Stop', details: 'Details', actions: 'Actions', any: 'any', none: 'none', never: 'never', now: 'now',
    operators_only: 'Only operators may do this.', language: 'Language', time: 'Time', count: 'Count them',
    theme_auto: 'Colours: as the system', theme_light: 'Colours: light', theme_dark: 'Colours: dark',
    // session
    log_in: 'Log in', log_out: 'Log out', token: 'Token', login_explained: 'Paste the token that you were given for this sidecar.',
    wrong_token: 'No such token.', role_operator: 'operator', role_viewer: 'viewer', role_consumer: 'consumer', role_null: '',
    too_many_tries: (seconds) => `Too many wrong tokens. Try again ${seconds ? `in ${seconds} s` : 'later'}.`,
    // trouble
    unreachable: 'The sidecar does not answer.', unknown_outcome: 'The connection was lost before the answer came: it may have been done, or not. Look before you do it again.',
    connection_lost: (seconds) => `The sidecar does not answer. Trying again in ${seconds} s.`, try_now: 'Try now',
    // states
    delivering: 'delivering', delivered: 'delivered', failed: 'failed', consumed: 'consumed', status_other: (n) => `status ${n}`,
    status_named: (value) => ({ 0: 'delivering', 1: 'delivered', 2: 'failed', 3: 'consumed' })[value] ?? value,
    status_is: (n) => `status ${n}`, status_other_hint: 'left alone',
    // overview
    relay: 'Relay', broker: 'Broker', readiness: 'Readiness', is_running: 'Running', is_paused: 'Paused', is_resumed: 'Resumed.', paused: 'paused',
    broker_connected: 'Connected', broker_blocked: 'Broker blocks publishing', broker_lost: 'No broker', is_ready: 'Ready', not_ready: 'Not ready',
    instance_detail: (instance, version, uptime) => `${instance} · ${version} · up ${uptime}`,
    pause: 'Pause', resume: 'Resume', pause_title: 'Pause this sidecar?', resume_title: 'Resume this sidecar?',
    pause_explained: 'It takes no new rows; what is in flight is finished. Messages wait in the table and nothing is lost. Other sidecars go on. A restart resumes it.',
    resume_explained: 'It takes rows again.',
    due: 'due', oldest_for: (age) => `oldest for ${age}`, in_flight: 'in flight', in_flight_hint: 'read, not yet settled', lanes_held: 'lanes held', lanes_held_hint: 'by this sidecar',
    ledger: 'ledger entries', ledger_hint: 'of all outboxes', receipts_overdue: 'receipts overdue', blocked_keys: 'blocked keys',
    over_time: 'Over time', time_range: 'Time range', as_tables: 'As tables', since_start: 'Since it started',
    chart_backlog: 'Backlog', chart_delivered: 'Delivered', chart_lag: 'Delivery lag', chart_failures: 'Failed attempts', per_second: 'per second', failed_attempts: 'per second',
    chart_summary: (title, values) => `${title}. Latest: ${values}. Arrow keys walk through time.`,
    total_confirmed: 'confirmed', total_returned: 'returned', total_refused: 'refused', total_no_exchange: 'no exchange', total_impossible: 'impossible',
    total_unknown: 'unknown', total_failed: 'given up', total_retries: 'retries', total_possible_duplicates: 'possible duplicates', total_purged: 'purged',
    total_redriven: 'redriven', total_receipts: 'receipts',
    // lists
    filters: 'Filters', apply: 'Apply', clear_filters: 'Clear', since: 'Since', pages: 'Pages', newest: 'Newest', older: 'Older', selection: 'Selection',
    last_minutes: (minutes) => ({ 15: 'Last 15 min', 60: 'Last hour', 1440: 'Last day' })[minutes],
    select_page: 'Select all on this page', select_row: (id) => `Select ${id}`, selected: (n) => `${n} selected`, clear_selection: 'Clear',
    rows_shown: (n, older, more) => `${n} ${older ? 'older ' : ''}shown${more ? ', there are more.' : '.'}`,
    matching: (n, complete, count) => `${complete ? '' : 'At least '}${n} ${count === 1 ? 'matches' : 'match'}.`,
    nothing_matches: 'Nothing matches.', nothing_matches_hint: 'Names match exactly, ids from their beginning, errors by any part.',
    no_messages: 'The table is empty.', no_messages_hint: 'Messages show up here as soon as a transaction with one commits.',
    retry_all_matching: 'Retry all that match', delete_all_matching: 'Delete all that match',
    // fields
    id: 'Id', status: 'Status', exchange: 'Exchange', routing_key: 'Routing key', destination: 'Destination', last_error: 'Last error', tries: 'Tries', size: 'Size',
    changed: 'Changed', created: 'Created', next_try: 'Next try', order_key: 'Order key', body: 'Body', headers: 'Headers', properties: 'Properties', timeline: 'Timeline',
    default_exchange: 'default exchange', no_key: 'no key', with_key: 'with the key', message: 'Message', entry: 'Entry', side: 'Side', reason: 'Reason',
    filter_status: 'Status', filter_exchange: 'Exchange', filter_routing_key: 'Routing key', filter_id_prefix: 'Id begins with', filter_error: 'Error contains',
    filter_since: 'Changed since', filter_before: 'Changed before', filter_side: 'Side', filter_reason: 'Reason contains', filter_message_id: 'Message',
    filter_filed_since: 'Filed since', filter_filed_before: 'Filed before', filter_before_time: 'Filed before', empty_text: '(empty)',
    filed: 'Filed', retries: 'Retries', side_producer: 'producer', side_consumer: 'consumer',
    retries_done: (n) => `${n}, the last one done`, retries_not_done: (n) => `${n}, the last one not done`,
    // a message
    message_gone: 'There is no such message (any more).', entry_gone: 'There is no such entry (any more).', empty_body: 'Empty.',
    only_first: (size) => `The first ${size}.`, show_all: 'Show all', show_more: 'Show more', ledger_entries_of_message: 'In the ledger',
    timeline_what: (what) => happenings[what] ?? what.replaceAll('_', ' '),
    // doing something about it
    retry: 'Retry', delete: 'Delete', counting: 'Counting …', why: 'Why', one_left: (why) => `Left as it is: ${why}.`, left_as_they_are: (n) => `${n} left as they are`,
    retry_messages: (n, count) => `Retry ${messages(n, count)}?`, delete_messages: (n, count) => `Delete ${messages(n, count)}?`,
    retry_explained: 'Failed messages go back to be delivered, with all their tries.', delete_explained: 'Deleted rows are gone for good.',
    force_retry: 'Also what was delivered: it is sent again', force_delete: 'Also what is still to be delivered: it will never be sent',
    retry_done: (n, count) => `${messages(n, count)} put back to be delivered.`, delete_done: (n) => `${n} deleted.`,
    retry_entries: (n, count) => `Retry ${entries(n, count)}?`, delete_entries: (n, count) => `Delete ${entries(n, count)}?`,
    retry_entries_explained: 'A producer’s message goes back to be delivered; a consumer’s is sent again as it is in the ledger.',
    delete_entries_explained: 'Only the entries go; the messages stay as they are.', repeat: 'Also what was sent again before',
    retry_matching: 'Retry all that match', delete_matching: 'Delete all that match', no_filter: 'There is no filter: this is everything.', status_first: 'Choose a status first.', filter_first: 'Set a filter first.',
    retry_would: (n, complete, count) => `${bound(n, complete)} ${count === 1 ? 'matches' : 'match'}.`,
    delete_would: (n, complete, count) => `${bound(n, complete)} ${count === 1 ? 'matches' : 'match'}.`,
    retry_n: (n, complete) => `Retry ${complete ? '' : '≥ '}${n}`, delete_n: (n, complete) => `Delete ${complete ? '' : '≥ '}${n}`,
    outcome_not_failed: 'its message is not failed (any more)', outcome_gone: 'its message is no longer in the outbox', outcome_no_entry: 'there is no such entry',
    outcome_already: 'it was sent again before', outcome_busy: 'somebody else is retrying it just now', outcome_not_done: 'not done', outcome_not_tried: 'not tried', outcome_not_recorded: 'sent again, but that could not be recorded',
    // failures
    by_messages: 'Failed messages by reason', by_ledger: 'Ledger by reason', by_entries: 'Ledger entries', no_reason: 'no reason recorded', count_head: 'Count',
    latest: 'Latest', oldest: 'Oldest', retry_group: 'Retry', delete_group: 'Delete', nothing_failed: 'Nothing has failed.', nothing_failed_hint: 'Messages whose tries are used up, or that can never be sent, show up here.',
    no_entries: 'The ledger is empty.', no_entries_hint: 'Each message that was given up has an entry here, with its reason.',
    groups_shown: (n, looked_at, complete) => `${n} ${n === '1' ? 'reason' : 'reasons'} among ${complete ? '' : 'the first '}${looked_at}.`,
    any_reason_note: 'These have no reason, and a filter can’t ask for none: all failed messages of the exchange match.',
    // edit and resend
    edit_and_resend: 'Edit and send', resend: 'Save and send', resend_explained: 'Changes the failed row and puts it back to be delivered, in one step. What you leave alone stays byte for byte.',
    exchange_hint: 'Empty: the default exchange', headers_json: 'Headers, a JSON object', properties_json: 'Properties, a JSON object', body_as: (as) => `Body, ${as}`,
    body_too_large: 'The body is too large to be edited here. It stays as it is.', not_json: (why) => `No JSON: ${why}`, not_an_object: 'This has to be a JSON object: {…}',
    not_hex: 'Pairs of hex digits, please.', mend_fields: 'Nothing was sent: see above.', resent: 'Saved, and put back to be delivered.', draft_restored: 'What you typed before is still here.',
    // dead letters
    dead_letters_explained: 'Dead-letter queues of the configuration. Redriving sends their messages back to where they were when they died.',
    messages_waiting: 'waiting', redrives_every: 'Redriven every', max_redrives: 'At most', redriven: 'Redriven', refused: 'Refused', redrive: 'Redrive',
    redrive_queue: (queue) => `Redrive ${queue}?`, redrive_explained: 'Looked at without moving any:', redrive_limit: 'At most', redrive_all: 'all', redrive_rate: 'Per second', redrive_default_rate: 'as configured',
    looked_at: (n) => `${n} looked at.`, without_origin: 'stay: they do not say where they came from', queue_empty: 'The queue is empty.',
    no_dead_letters: 'No dead-letter queues are configured.', no_dead_letters_hint: 'They are listed under dead_letters in the configuration.',
    // lanes
    lanes_explained: 'The table’s rows are divided into lanes; each lane is relayed by one sidecar at a time, which holds its lease.',
    instances: 'Sidecars', instance: 'Sidecar', lanes_count: 'Lanes', share: 'Share', lane: 'Lane', lane_of: (lane, all) => `${lane} of ${all}`, held_by: 'Held by', held_by_nobody: 'nobody',
    lease_ends: 'Lease ends in', epoch: 'Epoch', wanted_by: 'Wanted by', no_lane_table: 'There is no table msg_lane.', no_lane_table_hint: 'Run only one sidecar, or migrate.', no_lanes: 'No sidecar has run yet.', no_lanes_hint: '',
    // configuration
    filter_configuration: 'Find a setting', not_set: 'not set', masked: 'In effect now; secrets are masked.',
    // jobs
    jobs_running: (n) => `${n} running`, job_progress: 'Progress', job_running: 'running', job_queued: 'waits its turn', job_done: 'done', job_failed: 'failed', job_stopped: 'stopped',
    job_action: (action) => actions[action] ?? action.replace(/^redrive /, 'Redrive '),
    job_counts: (changed, total, left, some_left) => `${changed}${total === null ? '' : ` of ${total}`} changed${some_left ? `, ${left} left as they are` : ''}`,
    // keys
    keys_title: 'Keyboard', key_filter: 'Filter', key_down: 'Next row', key_up: 'Row before', key_select: 'Select the row', key_open: 'Open the row',
    key_close: 'Close, or clear the selection', key_reload: 'Reload', key_tabs: 'Tab before, next tab', key_help: 'This help',
};
