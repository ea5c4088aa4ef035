#include "clients/tocsin/collect_increments.h"
#include "clients/tocsin/collect_samples.h"
#include "tests/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*  Every sample, a line each: name{label="value",...} value[ +] */
static char *text;
static size_t size;
static FILE *lines;

static void take(void *context, const sample_t *sample)
{
    (void)context;
    fputs(sample->name, lines);
    for (size_t i = 0; i < SAMPLE_LABELS_MAX && sample->labels[i].name != NULL; i++)
        fprintf(lines, "%s%s=%s", i == 0 ? "{" : ",", sample->labels[i].name,
                sample->labels[i].value);
    fprintf(lines, "%s %.15g%s\n", sample->labels[0].name == NULL ? "" : "}",
            sample->scale > 0 ? sample->value * sample->scale : sample->value,
            sample->scale > 0 ? " +" : "");
}

static const samples_t out = {take, NULL};

static int begin(void **state)
{
    (void)state;
    lines = open_memstream(&text, &size);
    return lines == NULL;
}

static int end(void **state)
{
    (void)state;
    fclose(lines);
    free(text);
    return 0;
}

static void assert_line(const char *line)
{
    fflush(lines);
    const char *at = strstr(text, line);
    if (at == NULL || (at != text && at[-1] != '\n') || at[strlen(line)] != '\n')
        fail_msg("no line \"%s\" in\n%s", line, text);
}

static void assert_no(const char *words)
{
    fflush(lines);
    if (strstr(text, words) != NULL)
        fail_msg("\"%s\" in\n%s", words, text);
}

static void test_collect__processors_are_seconds_by_mode(void **state)
{
    (void)state;
    cpu_use_t before = {0, 0};
    collect_cpu("cpu  300 0 100 500 100 0 0 0 0 0\n"
                "cpu0 100 0 50 250 50 0 0 7 0 0\n"
                "intr 5 0 9\nctxt 12345\nbtime 1\nprocesses 99\nprocs_running 3\nprocs_blocked 1\n",
                100, &before, &out);
    assert_line("node_cpu_seconds_total{cpu=0,mode=user} 1 +");
    assert_line("node_cpu_seconds_total{cpu=0,mode=steal} 0.07 +");
    assert_line("node_context_switches_total 12345 +");
    assert_line("node_forks_total 99 +");
    assert_line("node_procs_running 3");
    assert_no("node_cpu_usage_ratio"); /* nothing to compare with yet */
}

static void test_collect__usage_is_the_busy_share_since_the_last_reading(void **state)
{
    (void)state;
    cpu_use_t before = {0, 0};
    collect_cpu("cpu  300 0 100 500 100 0 0 0\n", 100, &before, &out);
    collect_cpu("cpu  350 0 120 520 110 0 0 0\n", 100, &before, &out);
    assert_line("node_cpu_usage_ratio 0.7");
}

static void test_collect__load_has_three_averages(void **state)
{
    (void)state;
    collect_load("0.73 0.34 0.19 4/321 12345\n", &out);
    assert_line("node_load1 0.73");
    assert_line("node_load15 0.19");
}

static void test_collect__memory_is_bytes_and_a_ratio(void **state)
{
    (void)state;
    collect_memory("MemTotal:       1000 kB\nMemFree:   100 kB\nMemAvailable:    250 kB\n"
                   "HugePages_Total:       0\nDirectMap4k:   77 kB\n",
                   &out);
    assert_line("node_memory_MemTotal_bytes 1024000");
    assert_line("node_memory_usage_ratio 0.75");
    assert_no("HugePages");
    assert_no("DirectMap");
}

static void test_collect__disks_are_whole_ones_in_bytes_and_seconds(void **state)
{
    (void)state;
    collect_disks(" 254       0 vda 10 1 200 30 40 2 600 70 0 90 100 0 0 0 0 0 0\n"
                  " 254       1 vda1 10 1 200 30 40 2 600 70 0 90 100\n"
                  " 259       0 nvme0n1 1 0 2 0 0 0 0 0 0 0 0\n"
                  " 259       1 nvme0n1p1 1 0 2 0 0 0 0 0 0 0 0\n"
                  "   7       0 loop0 1 0 2 0 0 0 0 0 0 0 0\n",
                  &out);
    assert_line("node_disk_read_bytes_total{device=vda} 102400 +");
    assert_line("node_disk_written_bytes_total{device=vda} 307200 +");
    assert_line("node_disk_io_time_seconds_total{device=vda} 0.09 +");
    assert_line("node_disk_reads_completed_total{device=nvme0n1} 1 +");
    assert_no("vda1");
    assert_no("nvme0n1p1");
    assert_no("loop0");
}

static void test_collect__networks_count_both_ways(void **state)
{
    (void)state;
    collect_network("Inter-|   Receive                       |  Transmit\n"
                    " face |bytes    packets errs drop fifo frame compressed multicast|bytes\n"
                    "    lo: 100 1 0 0 0 0 0 0 100 1 0 0 0 0 0 0\n"
                    "  eth0:1482 12 1 2 0 0 0 0 999 8 3 4 0 0 0 0\n",
                    &out);
    assert_line("node_network_receive_bytes_total{device=eth0} 1482 +");
    assert_line("node_network_transmit_drop_total{device=eth0} 4 +");
    assert_line("node_network_receive_packets_total{device=lo} 1 +");
}

static void test_collect__what_is_no_proc_file_gives_nothing(void **state)
{
    (void)state;
    cpu_use_t before = {0, 0};
    const char *const strange[] = {"", "\n\n", "cpu", "vda", "x: y", " 1 2 sda 1 2\n"};
    for (size_t i = 0; i < sizeof strange / sizeof strange[0]; i++) {
        collect_cpu(strange[i], 100, &before, &out);
        collect_load(strange[i], &out);
        collect_memory(strange[i], &out);
        collect_disks(strange[i], &out);
        collect_network(strange[i], &out);
    }
    collect_filesystems("/nowhere", &out);
    fflush(lines);
    assert_string_equal(text, "");
}

static void test_collect__a_counter_sends_what_was_added(void **state)
{
    (void)state;
    increments_t increments = {.items = NULL};
    double added = -1;
    sample_t a = {.name = "bytes", .value = 100, .scale = 2, .labels = {{"device", "a"}}};
    sample_t b = {.name = "bytes", .value = 7, .scale = 1, .labels = {{"device", "b"}}};
    assert_false(increments_take(&increments, &a, &added));
    assert_false(increments_take(&increments, &b, &added));
    assert_double(added, -1, 0);
    a.value = 130;
    assert_true(increments_take(&increments, &a, &added));
    assert_double(added, 60, 0);
    assert_true(increments_take(&increments, &b, &added));
    assert_double(added, 0, 0);
    increments_free(&increments);
}

static void test_collect__a_count_that_became_smaller_began_anew(void **state)
{
    (void)state;
    increments_t increments = {.items = NULL};
    double added;
    sample_t sample = {.name = "bytes", .value = 100, .scale = 1};
    assert_false(increments_take(&increments, &sample, &added));
    sample.value = 30;
    assert_true(increments_take(&increments, &sample, &added));
    assert_double(added, 30, 0);
    increments_free(&increments);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_collect__processors_are_seconds_by_mode, begin, end),
        cmocka_unit_test_setup_teardown(
            test_collect__usage_is_the_busy_share_since_the_last_reading, begin, end),
        cmocka_unit_test_setup_teardown(test_collect__load_has_three_averages, begin, end),
        cmocka_unit_test_setup_teardown(test_collect__memory_is_bytes_and_a_ratio, begin, end),
        cmocka_unit_test_setup_teardown(test_collect__disks_are_whole_ones_in_bytes_and_seconds,
                                        begin, end),
        cmocka_unit_test_setup_teardown(test_collect__networks_count_both_ways, begin, end),
        cmocka_unit_test_setup_teardown(test_collect__what_is_no_proc_file_gives_nothing, begin,
                                        end),
        cmocka_unit_test(test_collect__a_counter_sends_what_was_added),
        cmocka_unit_test(test_collect__a_count_that_became_smaller_began_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
