/* relay/relay.pml - what sidecars at one table do to it and to the broker, small enough to be checked exhaustively.
 *
 * Two replicas, one lane, two rows. Each step below is one that the program does while nobody sees the half of it, and
 * names the function it stands for. Steps of all replicas interleave in every possible way, so a replica is also held up
 * between any two of them for as long as the faults allow. Checked by test/model:
 *
 * - status 1 means that the broker has the message, and what was rolled back is never sent;
 * - never is the lane open at both replicas; what is sent while it is not open was held up between asking is_open() and
 *   writing to the socket (relay/lane_keeper.hpp), and is counted as a fault;
 * - a message is sent once more than needed for each fault, at most;
 * - when the faults end, every row that was committed comes to status 1, 2 or 3.
 *
 * Time passes in ticks: while everything waits, and, as a fault, while something could be done. SLOW is how many of
 * those there may be, CRASHES, LOSSES and so on likewise. The names after #ifdef are mutations: errors that the check
 * must find, or it would prove nothing.
 */

#define REPLICAS 2
#define ROWS     2
#define NOBODY   255
#define GONE     254  /* a replica's former process, whose name no other will have */

#define LEASE  3      /* ticks */
#define TRUST  2      /* for how much of it the holder trusts in it: lane_keeper::adopt() */
#define RENEW  1      /* when so much of that is left */

#ifndef SLOW
#define SLOW 2
#endif
#ifndef CRASHES
#define CRASHES 1
#endif
#ifndef LOSSES
#define LOSSES 1      /* connections to the broker */
#endif
#ifndef UNHEARD
#define UNHEARD 1     /* commits whose answer is lost */
#endif
#ifndef STOPS
#define STOPS 1       /* SIGTERM */
#endif
#ifndef WISHES
#define WISHES 1      /* a sidecar that joins wants a share */
#endif
#ifndef IDLE_READS
#define IDLE_READS 1  /* that find a row which is on its way already */
#endif

/* The table msg_log, and the queue. */
#define ABSENT      9  /* not committed yet */
#define ROLLED_BACK 8
#define UNSENT      0  /* status: delivering */
#define DELIVERED   1
#define FAILED      2
#define CONSUMED    3
byte status[ROWS] = ABSENT;
bit  tries[ROWS];
byte copies[ROWS];
byte excuses;          /* faults so far that may each have cost a copy too many */

/* The table msg_lane. */
byte owner = NOBODY;
byte wanted_by = NOBODY;
byte expires;          /* ticks left, by the clock of the database */
byte epoch;

/* What a replica has in mind: lost by kill -9. */
#define NOT_HERE  0    /* relay/in_flight.hpp */
#define ADMITTED  1    /* read, and in the send queue */
#define CHECKED   2    /* held up before the socket */
#define SENT      3
#define ROUTED    4    /* the broker has it, and its confirm is on the way */
#define CONFIRMED 5    /* in the outcome queue */
#define REFUSED   6    /* likewise */
#define SETTLED   7    /* during the read that is under way */
#define LOST      8    /* of a mutation */
#define IDLE 0
#define ASKED 1        /* lane_keeper::change() is at the database */
#define DONE 2         /* it is committed there */
typedef replica {
    byte flight[ROWS];
    byte under[ROWS];  /* the epoch in which the row was read */
    bit  held;
    bit  giving;
    bit  leaving;
    byte epoch;
    byte trust;        /* ticks left, by the monotonic clock */
    byte keeper;       /* IDLE, ASKED, DONE */
    byte since_asked;  /* what trust will be */
    byte answer;       /* the epoch that is ours in it; 0: not ours */
    byte page;         /* the row that the read under way has found, plus one; 0: there is none under way */
    byte page_epoch;   /* when it began */
    byte cursor;
};
replica r[REPLICAS];

byte slow = SLOW, crashes = CRASHES, losses = LOSSES, unheard = UNHEARD, stops = STOPS, wishes = WISHES,
     idle_reads = IDLE_READS;

#define other(p) (1 - (p))

/* lane_keeper::open(), is_open() */
#ifdef NO_FENCE
#define open(p) (r[p].held && !r[p].giving && !r[p].leaving)
#else
#define open(p) (r[p].held && !r[p].giving && !r[p].leaving && r[p].trust > 0)
#endif
/* lane_keeper::is_drained() */
#define in_flight(p, i) (r[p].flight[i] != NOT_HERE && r[p].flight[i] != SETTLED)
#ifdef RELEASE_UNDRAINED
#define drained(p) true
#else
#define drained(p) (!in_flight(p, 0) && !in_flight(p, 1))
#endif
#define sent(p, i) (r[p].flight[i] >= CHECKED && r[p].flight[i] != SETTLED)
#define final(i) (status[i] == ROLLED_BACK || status[i] == DELIVERED || status[i] == FAILED || status[i] == CONSUMED)
#define due(p, i) (status[i] == UNSENT && r[p].flight[i] == NOT_HERE)

/* ---- leases: relay/lane_policy.cpp, planner::run(), in the transaction of mysql_store::change_leases() ------------- */

/* Free, or left to somebody who has not come in time: planner::take() */
#define mine_to_take(p) (owner == NOBODY && (wanted_by == NOBODY || wanted_by == (p) || expires == 0) \
                         || owner != NOBODY && owner != (p) && expires == 0)

inline plan(p) {
    if
    :: owner == p && (r[p].giving || r[p].leaving) && drained(p) ->  /* planner::grant(); leaving: to whoever comes */
        owner = NOBODY;
        expires = (wanted_by == NOBODY -> 0 : LEASE);
        r[p].answer = 0
    :: owner == p && !((r[p].giving || r[p].leaving) && drained(p)) ->  /* planner::renew() */
        expires = LEASE;
        r[p].answer = epoch
    :: owner != p && mine_to_take(p) && !r[p].leaving ->  /* planner::take() */
        /* From one that was too slow: what it has on its way goes out again. */
        excuses = excuses + (owner == other(p) -> sent(other(p), 0) + sent(other(p), 1) : 0);
        owner = p;
        wanted_by = NOBODY;
        expires = LEASE;
        epoch++;
        r[p].answer = epoch
    :: else ->
        r[p].answer = 0
    fi
}

/* When lane_keeper::look() finds a change worth its while. */
#define worth_asking(p) (r[p].keeper == IDLE && ( \
       r[p].held && (r[p].trust <= RENEW || (r[p].giving || r[p].leaving) && drained(p)) \
    || !r[p].held && !r[p].leaving && (mine_to_take(p) || owner == (p))))

inline ask(p) {      /* lane_keeper::change(): `asked`, before the database is asked */
    r[p].keeper = ASKED;
    r[p].since_asked = TRUST
}

inline adopt(p) {    /* lane_keeper::adopt(), hold() */
    if
    :: r[p].answer != 0 ->
        r[p].giving = r[p].giving && r[p].held && r[p].epoch == r[p].answer;
        r[p].held = 1;
        r[p].epoch = r[p].answer;
#ifdef TRUST_FROM_ANSWER
        r[p].trust = LEASE
#else
        r[p].trust = r[p].since_asked
#endif
    :: else ->
        r[p].held = 0;
        r[p].giving = 0;
        r[p].epoch = 0;
        r[p].trust = 0
    fi;
    r[p].keeper = IDLE;
    r[p].since_asked = 0;
    r[p].answer = 0
}

/* ---- one row's way ------------------------------------------------------------------------------------------------- */

inline forget(p, i) {    /* in_flight::settled(), released() */
    r[p].flight[i] = NOT_HERE;
    r[p].under[i] = 0
}

inline read_began(p, i) {  /* reader::read_page(), in_flight::read_began(), mysql_store::due() */
    r[p].page = i + 1;
    r[p].page_epoch = r[p].epoch
}

inline read_ended(p) {     /* in_flight::admit(), reader::stamp(), in_flight::read_ended() */
    if
    :: r[p].held && !r[p].giving && !r[p].leaving && r[p].flight[r[p].page - 1] == NOT_HERE ->
        r[p].flight[r[p].page - 1] = ADMITTED;
#ifdef STAMP_AFTER_READ
        r[p].under[r[p].page - 1] = r[p].epoch
#else
        r[p].under[r[p].page - 1] = r[p].page_epoch
#endif
    :: else
    fi;
    r[p].cursor = r[p].page % ROWS;  /* sweep::page_read(), finish() */
    r[p].page = 0;
    r[p].page_epoch = 0;
    for (i : 0 .. ROWS - 1) {
        if
        :: r[p].flight[i] == SETTLED -> forget(p, i)
        :: else
        fi
    }
    i = 0
}

inline settled(p, i) {
    if
#ifndef FORGET_DURING_READ
    :: r[p].page != 0 ->
        r[p].flight[i] = SETTLED;
        r[p].under[i] = 0
#endif
    :: else -> forget(p, i)
    fi
}

inline record(i, new) {  /* mysql_store::settle(): UPDATE … WHERE status = 0 */
    if
    :: status[i] == UNSENT -> status[i] = new
    :: else
    fi
}

inline give_back(p, i) {
#ifdef LOSE_UNKNOWN
    r[p].flight[i] = LOST
#else
    forget(p, i)
#endif
}

inline lose_connection(p) {  /* rabbitmq::lose(), pump::pass_on(), give_back() */
    for (i : 0 .. ROWS - 1) {
        if
        :: r[p].flight[i] == SENT ->
            excuses++;
            if
            :: copies[i]++   /* the broker had it all the same */
            :: true
            fi;
            give_back(p, i)
        :: r[p].flight[i] == ROUTED ->
            excuses++;
            give_back(p, i)
        :: else
        fi
    }
    i = 0
}

inline die(p) {
    for (i : 0 .. ROWS - 1) {
        if
        :: r[p].flight[i] == SENT ->
            if
            :: copies[i]++
            :: true
            fi
        :: else
        fi;
        excuses = excuses + sent(p, i);
        forget(p, i)
    }
    i = 0;
    owner = (owner == p -> GONE : owner);
    wanted_by = (wanted_by == p -> GONE : wanted_by);
    r[p].held = 0;
    r[p].giving = 0;
    r[p].leaving = 0;
    r[p].epoch = 0;
    r[p].trust = 0;
    r[p].keeper = IDLE;
    r[p].since_asked = 0;
    r[p].answer = 0;
    r[p].page = 0;
    r[p].page_epoch = 0;
    r[p].cursor = 0
}

active [REPLICAS] proctype sidecar() {
    byte p = _pid;
    byte i = 0;
    do
    /* the thread of the leases */
    :: atomic { worth_asking(p) -> ask(p) }
    :: d_step { r[p].keeper == ASKED -> plan(p); r[p].keeper = DONE }
    :: d_step { r[p].keeper == DONE -> adopt(p) }
    :: d_step { r[p].keeper == DONE && unheard > 0 -> unheard--; r[p].keeper = IDLE; r[p].since_asked = 0;
                r[p].answer = 0 }
    :: d_step { wishes > 0 && owner == other(p) && expires > 0 && wanted_by == NOBODY && !r[p].leaving ->
                wishes--; wanted_by = p }                           /* planner::ask() */
    :: d_step { r[p].held && owner == p && wanted_by == other(p) && !r[p].giving -> r[p].giving = 1 }
                                                                    /* lane_keeper::give() */

    /* the thread that reads */
    :: d_step { open(p) && r[p].page == 0 && r[p].cursor == 0 && due(p, 0) -> read_began(p, 0) }
    :: d_step { open(p) && r[p].page == 0 && due(p, 1) && (r[p].cursor == 1 || !due(p, 0)) ->
                read_began(p, 1) }
#ifndef NEVER_SWEEP_BACK
    :: d_step { open(p) && r[p].page == 0 && r[p].cursor == 1 && !due(p, 1) && due(p, 0) -> r[p].cursor = 0 }
#endif
    :: d_step { idle_reads > 0 && open(p) && r[p].page == 0 && status[0] == UNSENT && !due(p, 0) ->
                idle_reads--; read_began(p, 0) }
    :: d_step { r[p].page != 0 -> read_ended(p) }

    /* what happens to it */
    :: atomic { crashes > 0 -> crashes--; die(p) }
    :: atomic { losses > 0 && (r[p].flight[0] == SENT || r[p].flight[0] == ROUTED
                               || r[p].flight[1] == SENT || r[p].flight[1] == ROUTED) -> losses--; lose_connection(p) }
    :: d_step { stops > 0 -> stops--; r[p].leaving = 1 }            /* service::stop(), lane_keeper::leave() */
    :: atomic { r[p].leaving && !r[p].held && r[p].keeper == IDLE && drained(p) -> die(p) }
    od
}

/* A row that a replica has taken up. */
active [REPLICAS * ROWS] proctype way() {
    byte p = (_pid - REPLICAS) / ROWS;
    byte i = (_pid - REPLICAS) % ROWS;
    do
    /* the thread that publishes: pump::send_waiting() */
    :: d_step { r[p].flight[i] == ADMITTED && open(p) && r[p].under[i] == r[p].epoch ->
                r[p].flight[i] = SENT }
    :: d_step { r[p].flight[i] == ADMITTED && !(open(p) && r[p].under[i] == r[p].epoch) -> forget(p, i) }
    :: d_step { r[p].flight[i] == ADMITTED && open(p) && r[p].under[i] == r[p].epoch && slow > 0 ->
                r[p].flight[i] = CHECKED }
    :: d_step { r[p].flight[i] == CHECKED -> excuses = excuses + !open(p); r[p].flight[i] = SENT }
    :: d_step { r[p].flight[i] == ROUTED -> r[p].flight[i] = CONFIRMED }  /* confirm_window::acked() */

    /* the broker */
    :: d_step { r[p].flight[i] == SENT -> copies[i]++; r[p].flight[i] = ROUTED }
    :: d_step { r[p].flight[i] == SENT -> r[p].flight[i] = REFUSED }

    /* the thread that settles: settler::record(), relay/verdict.cpp */
#ifdef SETTLE_BEFORE_CONFIRM
    :: d_step { r[p].flight[i] == SENT -> record(i, DELIVERED); forget(p, i) }
#endif
    :: d_step { r[p].flight[i] == CONFIRMED -> record(i, DELIVERED); settled(p, i) }
    :: d_step { r[p].flight[i] == CONFIRMED && unheard > 0 -> unheard--; record(i, DELIVERED) }
    :: d_step { r[p].flight[i] == REFUSED && tries[i] == 0 ->
                tries[i] = (status[i] == UNSENT -> 1 : 0); settled(p, i) }
    :: d_step { r[p].flight[i] == REFUSED && tries[i] == 1 -> record(i, FAILED); settled(p, i) }
    od
}

/* Commits late, in any order, or never. */
active [ROWS] proctype application() {
    byte i = _pid - REPLICAS - REPLICAS * ROWS;
    if
    :: status[i] = UNSENT
    :: status[i] = ROLLED_BACK
    fi
}

/* Says that it is done, or does not. */
active proctype consumer() {
    if
    :: d_step { copies[0] > 0 && (status[0] == UNSENT || status[0] == DELIVERED) -> status[0] = CONSUMED }
    :: true
    fi
}

#define less(t) t = (t > 0 -> t - 1 : 0)

inline tick() {
    less(expires);
    less(r[0].trust);
    less(r[1].trust);
    less(r[0].since_asked);
    less(r[1].since_asked)
}

active proctype time() {
    do
    :: d_step { timeout -> tick() }
    :: d_step { slow > 0 && (expires > 0 || r[0].trust > 0 || r[1].trust > 0) -> slow--; tick() }
    od
}

#define exclusive    !(open(0) && open(1))
#define sent_if_so   ((status[0] != DELIVERED || copies[0] > 0) && (status[1] != DELIVERED || copies[1] > 0))
#define unseen       ((status[0] != ROLLED_BACK || copies[0] == 0) && (status[1] != ROLLED_BACK || copies[1] == 0))
#define few          (copies[0] + copies[1] <= ROWS + excuses)

ltl safe     { [] (exclusive && sent_if_so && unseen && few) }
ltl delivers { <> (final(0) && final(1)) }
