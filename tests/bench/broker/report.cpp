// SPDX-License-Identifier: MIT
#include "report.h"

#include <cstdio>
#include <string>

namespace bench {

void print_json(const Result& result) {
  const bool timed = result.tail.has_value();
  std::printf("{\"case\": \"%s\", \"ours\": %.2f, \"raw\": %.2f, \"ratio\": %.4f, ",
              result.name.c_str(), result.ours, result.raw, result.ratio);
  std::printf("\"goal\": %.2f, \"raw_again_ratio\": %.4f, \"unit\": \"%s\", ", result.goal,
              result.raw_again, timed ? "us p50" : "messages/s");
  std::printf("\"ours_cpu_us\": %.3f, \"raw_cpu_us\": %.3f, ", result.ours_cpu_us,
              result.raw_cpu_us);
  std::printf("\"ours_server_cpu_us\": %.3f, \"raw_server_cpu_us\": %.3f, ",
              result.ours_server_cpu_us, result.raw_server_cpu_us);
  if (result.tail) {
    std::printf("\"ours_p99_us\": %.2f, \"raw_p99_us\": %.2f, ", result.tail->ours_p99,
                result.tail->raw_p99);
  }
  if (result.ceiling) {
    std::printf("\"ceiling\": %.2f, \"ceiling_ratio\": %.4f, \"ceiling_goal\": %.2f, ",
                result.ceiling->rate, result.ceiling->ratio, result.ceiling->goal);
    std::printf("\"ceiling_together\": %.2f, ", result.ceiling->together);
  }
  std::printf("\"raw_variant\": \"%s\", \"repetitions\": %zu, \"messages\": %zu, \"body\": %zu}\n",
              result.raw_variant.c_str(), result.amount.repetitions, result.amount.messages,
              result.amount.body);
  std::fflush(stdout);
}

void print_head(const Amount& amount) {
  const std::string body = amount.body == 0 ? "" : std::to_string(amount.body) + "-byte ";
  std::printf("%smessages a second, or us where it says so; medians of %zu repetitions\n",
              body.c_str(), amount.repetitions);
  std::printf("%-26s %12s %12s %7s %6s %9s %9s %9s  %s\n", "case", "swapmq", "raw", "ratio", "goal",
              "raw/raw", "CPU us", "raw CPU", "raw is");
  std::fflush(stdout);
}

void print_row(const Result& result) {
  const int digits = result.tail ? 1 : 0;
  std::printf("%-26s %12.*f %12.*f %7.3f %6.2f %9.3f %9.2f %9.2f  %s\n", result.name.c_str(),
              digits, result.ours, digits, result.raw, result.ratio, result.goal, result.raw_again,
              result.ours_cpu_us, result.raw_cpu_us, result.raw_variant.c_str());
  if (result.tail) {
    std::printf("%-26s %12.1f %12.1f %7.3f\n", "  p99", result.tail->ours_p99, result.tail->raw_p99,
                result.tail->raw_p99 / result.tail->ours_p99);
  }
  if (result.ceiling) {
    std::printf("%-26s %12.0f %12.0f %7.3f %6.2f\n", "  woken apart", result.ours,
                result.ceiling->rate, result.ceiling->ratio, result.ceiling->goal);
    std::printf("%-26s %12.0f %12.0f %7.3f\n", "  woken together", result.ours,
                result.ceiling->together, result.ours / result.ceiling->together);
  }
  std::fflush(stdout);
}

} // namespace bench
