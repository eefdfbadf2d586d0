// 简体中文
const bound = (n, complete) => (complete ? n : `至少 ${n}`);

const actions = {
    'retry messages': '重试消息', 'delete messages': '删除消息',
    'retry failures': '重试台账记录', 'delete failures': '删除台账记录',
};
const happenings = {
    created: '创建', due: '到期', failed: '失败', delivered: '已投递', consumed: '已消费', filed: '记入台账',
    updated: '最近变更', changed: '最近变更', next_try: '下次尝试', attempt: '尝试', retried: '已重试', refused: '尝试失败', delivering: '等待投递',
};

export const words = {
    // places
    overview: '概览', messages: '消息', failures: '失败', dead_letters: '死信', lanes: '分片',
    configuration: '配置', jobs: '任务', navigation: '主导航', skip_to_content: '跳到正文', state: '状态',
    nav_overview: '概览', nav_messages: '消息', nav_failures: '失败', nav_dead_letters: '死信', nav_lanes: '分片', nav_configuration: '配置',
    // everywhere
    close: '关闭', cancel: '取消', dismiss: '忽略', notices: '通知', copy: '复制', copied: '已复制。', copy_id: '复制 ID', copy_json: '复制 JSON',
    reload: '刷新', try_again: '重试', stop: '停止', details: '详情', actions: '操作', any: '不限', none: '无', never: '从不', now: '现在',
    operators_only: '只有操作员可以执行此操作。', language: '语言', time: '时间', count: '统计数量',
    theme_auto: '颜色：跟随系统', theme_light: '颜色：浅色', theme_dark: '颜色：深色',
    // session
    log_in: '登录', log_out: '退出登录', token: '令牌', login_explained: '请粘贴为此 sidecar 分配给您的令牌。',
    wrong_token: '令牌无效。', role_operator: '操作员', role_viewer: '只读', role_consumer: '消费者', role_null: '',
    too_many_tries: (seconds) => `错误次数过多，请${seconds ? `在 ${seconds} 秒后` : '稍后'}再试。`,
    // trouble
    unreachable: 'sidecar 没有响应。', unknown_outcome: '在收到答复之前连接中断：操作可能已执行，也可能没有。再次操作前请先查看结果。',
    connection_lost: (seconds) => `sidecar 没有响应，${seconds} 秒后重试。`, try_now: '立即重试',
    // states
    delivering: '投递中', delivered: '已投递', failed: '失败', consumed: '已消费', status_other: (n) => `状态 ${n}`,
    status_named: (value) => ({ 0: '投递中', 1: '已投递', 2: '失败', 3: '已消费' })[value] ?? value,
    status_is: (n) => `状态 ${n}`, status_other_hint: '不作处理',
    // overview
    relay: '转发', broker: '消息代理', readiness: '就绪', is_running: '运行中', is_paused: '已暂停', is_resumed: '已恢复。', paused: '已暂停',
    broker_connected: '已连接', broker_blocked: '代理阻止发布', broker_lost: '未连接代理', is_ready: '就绪', not_ready: '未就绪',
    instance_detail: (instance, version, uptime) => `${instance} · ${version} · 已运行 ${uptime}`,
    pause: '暂停', resume: '恢复', pause_title: '暂停此 sidecar？', resume_title: '恢复此 sidecar？',
    pause_explained: '它不再读取新的行；在途消息会处理完。消息留在表中等待，不会丢失。其他 sidecar 继续工作。重启后自动恢复。',
    resume_explained: '它将重新开始读取行。',
    due: '到期', oldest_for: (age) => `最早已等 ${age}`, in_flight: '在途', in_flight_hint: '已读取，尚未结算', lanes_held: '持有分片', lanes_held_hint: '由此 sidecar 持有',
    ledger: '台账记录', ledger_hint: '所有发件箱合计', receipts_overdue: '逾期回执', blocked_keys: '受阻的键',
    over_time: '走势', time_range: '时间范围', as_tables: '以表格显示', since_start: '启动以来',
    chart_backlog: '积压', chart_delivered: '投递', chart_lag: '投递延迟', chart_failures: '失败的尝试', per_second: '每秒', failed_attempts: '每秒',
    chart_summary: (title, values) => `${title}。最新：${values}。用方向键查看各时刻。`,
    total_confirmed: '已确认', total_returned: '被退回', total_refused: '被拒绝', total_no_exchange: '无交换机', total_impossible: '无法发送',
    total_unknown: '结果未知', total_failed: '已放弃', total_retries: '重试次数', total_possible_duplicates: '可能重复', total_purged: '已清理',
    total_redriven: '已重投', total_receipts: '回执',
    // lists
    filters: '筛选', apply: '应用', clear_filters: '清除', since: '自', pages: '翻页', newest: '最新', older: '更早', selection: '所选',
    last_minutes: (minutes) => ({ 15: '最近 15 分钟', 60: '最近 1 小时', 1440: '最近 1 天' })[minutes],
    select_page: '选择本页全部', select_row: (id) => `选择 ${id}`, selected: (n) => `已选 ${n} 条`, clear_selection: '取消选择',
    rows_shown: (n, older, more) => `显示${older ? '更早的' : ''} ${n} 条${more ? '，还有更多。' : '。'}`,
    matching: (n, complete) => `共 ${bound(n, complete)} 条匹配。`,
    nothing_matches: '没有匹配的结果。', nothing_matches_hint: '名称须完全一致，ID 从开头匹配，错误按任意片段匹配。',
    no_messages: '表是空的。', no_messages_hint: '含有消息的事务一经提交，消息就会显示在这里。',
    retry_all_matching: '重试全部匹配项', delete_all_matching: '删除全部匹配项',
    // fields
    id: 'ID', status: '状态', exchange: '交换机', routing_key: '路由键', destination: '目的地', last_error: '最近错误', tries: '尝试', size: '大小',
    changed: '变更', created: '创建', next_try: '下次尝试', order_key: '顺序键', body: '消息体', headers: '消息头', properties: '属性', timeline: '时间线',
    default_exchange: '默认交换机', no_key: '无路由键', with_key: '路由键', message: '消息', entry: '记录', side: '来源', reason: '原因',
    filter_status: '状态', filter_exchange: '交换机', filter_routing_key: '路由键', filter_id_prefix: 'ID 开头', filter_error: '错误包含',
    filter_since: '变更不早于', filter_before: '变更早于', filter_side: '来源', filter_reason: '原因包含', filter_message_id: '消息',
    filter_filed_since: '记入不早于', filter_filed_before: '记入早于', filter_before_time: '记入早于', empty_text: '（空）',
    filed: '记入', retries: '重试', side_producer: '生产者', side_consumer: '消费者',
    retries_done: (n) => `${n} 次，最近一次成功`, retries_not_done: (n) => `${n} 次，最近一次未成功`,
    // a message
    message_gone: '该消息不存在（或已被删除）。', entry_gone: '该记录不存在（或已被删除）。', empty_body: '空。',
    only_first: (size) => `仅显示前 ${size}。`, show_all: '显示全部', show_more: '显示更多', ledger_entries_of_message: '台账中的记录',
    timeline_what: (what) => happenings[what] ?? what.replaceAll('_', ' '),
    // doing something about it
    retry: '重试', delete: '删除', counting: '正在统计…', why: '原因', one_left: (why) => `未作更改：${why}。`, left_as_they_are: (n) => `${n} 条未作更改`,
    retry_messages: (n) => `重试 ${n} 条消息？`, delete_messages: (n) => `删除 ${n} 条消息？`,
    retry_explained: '失败的消息将重新等待投递，尝试次数重新计算。', delete_explained: '删除的行无法恢复。',
    force_retry: '包括已投递的消息：将再次发送', force_delete: '包括尚待投递的消息：将永远不会发送',
    retry_done: (n) => `${n} 条消息已重新等待投递。`, delete_done: (n) => `已删除 ${n} 条。`,
    retry_entries: (n) => `重试 ${n} 条记录？`, delete_entries: (n) => `删除 ${n} 条记录？`,
    retry_entries_explained: '生产者的消息将重新等待投递；消费者的消息按台账内容再次发送。',
    delete_entries_explained: '只删除台账记录，消息保持不变。', repeat: '包括此前已再次发送的',
    retry_matching: '重试全部匹配项', delete_matching: '删除全部匹配项', no_filter: '没有筛选条件：这将涉及全部内容。', status_first: '请先选择状态。', filter_first: '请先设置筛选条件。',
    retry_would: (n, complete) => `匹配 ${bound(n, complete)} 条。`, delete_would: (n, complete) => `匹配 ${bound(n, complete)} 条。`,
    retry_n: (n, complete) => `重试 ${complete ? '' : '≥ '}${n} 条`, delete_n: (n, complete) => `删除 ${complete ? '' : '≥ '}${n} 条`,
    outcome_not_failed: '其消息（已）不是失败状态', outcome_gone: '其消息已不在发件箱中', outcome_no_entry: '没有该记录',
    outcome_already: '此前已再次发送', outcome_busy: '其他人正在重试它', outcome_not_done: '未完成', outcome_not_tried: '未尝试', outcome_not_recorded: '已再次发送，但未能记录',
    // failures
    by_messages: '失败消息（按原因）', by_ledger: '台账（按原因）', by_entries: '台账记录', no_reason: '未记录原因', count_head: '数量',
    latest: '最近', oldest: '最早', retry_group: '重试', delete_group: '删除', nothing_failed: '没有失败的消息。', nothing_failed_hint: '尝试次数用尽或永远无法发送的消息会显示在这里。',
    no_entries: '台账是空的。', no_entries_hint: '每条被放弃的消息在此都有一条记录及其原因。',
    groups_shown: (n, looked_at, complete) => `${complete ? '' : '前 '}${looked_at} 条中有 ${n} 种原因。`,
    any_reason_note: '这些消息没有记录原因，而筛选无法指定“无原因”：该交换机的所有失败消息都会匹配。',
    // edit and resend
    edit_and_resend: '编辑并发送', resend: '保存并发送', resend_explained: '一步完成：修改失败的行并使其重新等待投递。未改动的内容逐字节保持不变。',
    exchange_hint: '留空：默认交换机', headers_json: '消息头（JSON 对象）', properties_json: '属性（JSON 对象）', body_as: (as) => `消息体（${as}）`,
    body_too_large: '消息体过大，无法在此编辑，将保持不变。', not_json: (why) => `不是 JSON：${why}`, not_an_object: '必须是 JSON 对象：{…}',
    not_hex: '请输入成对的十六进制数字。', mend_fields: '未发送：请查看上面的提示。', resent: '已保存，并重新等待投递。', draft_restored: '您之前输入的内容仍保留在这里。',
    // dead letters
    dead_letters_explained: '配置中的死信队列。重投会把其中的消息送回它们原来的去处。',
    messages_waiting: '条等待中', redrives_every: '重投间隔', max_redrives: '至多', redriven: '已重投', refused: '被拒绝', redrive: '重投',
    redrive_queue: (queue) => `重投 ${queue}？`, redrive_explained: '仅查看，未移动任何消息：', redrive_limit: '至多', redrive_all: '全部', redrive_rate: '每秒', redrive_default_rate: '按配置',
    looked_at: (n) => `已查看 ${n} 条。`, without_origin: '保留：未说明来自何处', queue_empty: '队列是空的。',
    no_dead_letters: '未配置死信队列。', no_dead_letters_hint: '死信队列列在配置的 dead_letters 下。',
    // lanes
    lanes_explained: '表中的行划分为若干分片；每个分片同一时刻由一个持有租约的 sidecar 转发。',
    instances: 'Sidecar 实例', instance: 'Sidecar', lanes_count: '分片', share: '占比', lane: '分片', lane_of: (lane, all) => `${lane} / ${all}`, held_by: '持有者', held_by_nobody: '无人持有',
    lease_ends: '租约剩余', epoch: '纪元', wanted_by: '请求者', no_lane_table: '没有 msg_lane 表。', no_lane_table_hint: '请只运行一个 sidecar，或执行 migrate。', no_lanes: '尚无 sidecar 运行过。', no_lanes_hint: '',
    // configuration
    filter_configuration: '查找设置', not_set: '未设置', masked: '当前生效的配置；机密内容已隐藏。',
    // jobs
    jobs_running: (n) => `${n} 个运行中`, job_progress: '进度', job_running: '运行中', job_queued: '排队中', job_done: '完成', job_failed: '失败', job_stopped: '已停止',
    job_action: (action) => actions[action] ?? action.replace(/^redrive /, '重投 '),
    job_counts: (changed, total, left, some_left) => `已更改 ${changed}${total === null ? '' : ` / ${total}`}${some_left ? `，${left} 条未作更改` : ''}`,
    // keys
    keys_title: '键盘快捷键', key_filter: '筛选', key_down: '下一行', key_up: '上一行', key_select: '选择该行', key_open: '打开该行',
    key_close: '关闭，或取消选择', key_reload: '刷新', key_tabs: '上一个、下一个标签页', key_help: '显示此帮助',
};
