/*  Each case is a process of its own, since the worst of them end. */
#include "broker/log.h"
#include "broker/watchdog.h"
#include "tests/check.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static char said[65536];

static void spend_ms(long ms)
{
    const struct timespec time = {ms / 1000, ms % 1000 * 1000000};
    nanosleep(&time, NULL);
}

/*  Run a child, take what it says on stderr; answers how it ended. */
static int run(void (*child)(watchdog_t *, pulse_t *))
{
    int ends[2], status;
    assert_int_equal(pipe(ends), 0);
    pid_t process = fork();
    if (process == 0) {
        dup2(ends[1], STDERR_FILENO);
        close(ends[0]);
        log_setup(LEVEL_INFO, FORMAT_TEXT);
        watchdog_t *watchdog = watchdog_new();
        pulse_t *pulse = watchdog_watch(watchdog, "engine", 200, 1000);
        watchdog_start(watchdog);
        child(watchdog, pulse);
        watchdog_destroy(&watchdog);
        _exit(0);
    }
    close(ends[1]);
    size_t size = 0;
    ssize_t got;
    while ((got = read(ends[0], said + size, sizeof said - 1 - size)) > 0)
        size += (size_t)got;
    said[size] = '\0';
    close(ends[0]);
    assert_int_equal(waitpid(process, &status, 0), process);
    return status;
}

static void stand_still(watchdog_t *watchdog, pulse_t *pulse)
{
    (void)watchdog;
    pulse_beat(pulse);
    spend_ms(20000);
}

static void be_slow(watchdog_t *watchdog, pulse_t *pulse)
{
    (void)watchdog;
    for (int i = 0; i < 4; i++) {
        pulse_beat(pulse);
        spend_ms(450);
    }
    pulse_rest(pulse);
    spend_ms(250);
}

static void wait_for_work(watchdog_t *watchdog, pulse_t *pulse)
{
    (void)watchdog;
    pulse_beat(pulse);
    pulse_rest(pulse);
    spend_ms(1500);
}

static void move_on(watchdog_t *watchdog, pulse_t *pulse)
{
    (void)watchdog;
    for (int i = 0; i < 30; i++) {
        pulse_beat(pulse);
        spend_ms(50);
    }
}

/*  The whole process stands for longer than the watchdog's patience. */
static void be_frozen(watchdog_t *watchdog, pulse_t *pulse)
{
    (void)watchdog;
    pid_t process = getpid(), waker = fork();
    if (waker == 0) {
        spend_ms(100);
        kill(process, SIGSTOP);
        spend_ms(1500);
        kill(process, SIGCONT);
        _exit(0);
    }
    for (int i = 0; i < 20; i++) {
        pulse_beat(pulse);
        spend_ms(20);
    }
    waitpid(waker, NULL, 0);
    for (int i = 0; i < 5; i++) {
        pulse_beat(pulse);
        spend_ms(50);
    }
}

static void test_watchdog__one_that_stands_still_ends_the_process_with_every_stack(void **state)
{
    (void)state;
    int status = run(stand_still);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    assert_non_null(strstr(said, "a thread does not move"));
    assert_non_null(strstr(said, "thread=engine"));
    assert_non_null(strstr(said, "is stuck"));
    size_t stacks = 0;
    for (const char *at = said; (at = strstr(at, "-- a thread:")) != NULL; at++)
        stacks++;
    assert_true(stacks >= 2);
    assert_non_null(strstr(said, "nanosleep"));
}

static void test_watchdog__one_that_is_slow_is_named_and_lives(void **state)
{
    (void)state;
    assert_int_equal(run(be_slow), 0);
    assert_non_null(strstr(said, "a thread does not move"));
    assert_non_null(strstr(said, "a thread moves again"));
    assert_null(strstr(said, "stuck"));
}

static void test_watchdog__one_that_waits_or_moves_is_no_news(void **state)
{
    (void)state;
    assert_int_equal(run(wait_for_work), 0);
    assert_string_equal(said, "");
    assert_int_equal(run(move_on), 0);
    assert_string_equal(said, "");
}

static void test_watchdog__after_a_freeze_of_the_process_nobody_was_late(void **state)
{
    (void)state;
    assert_int_equal(run(be_frozen), 0);
    assert_null(strstr(said, "stuck"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_watchdog__one_that_stands_still_ends_the_process_with_every_stack),
        cmocka_unit_test(test_watchdog__one_that_is_slow_is_named_and_lives),
        cmocka_unit_test(test_watchdog__one_that_waits_or_moves_is_no_news),
        cmocka_unit_test(test_watchdog__after_a_freeze_of_the_process_nobody_was_late),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
