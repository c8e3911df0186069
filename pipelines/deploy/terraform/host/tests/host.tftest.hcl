variables {
  name           = "trade-1"
  isolated_cores = [2, 3, 4, 5]
  operator_keys  = ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIExampleExampleExampleExampleExampleExampleExam ann"]
}

run "cores_are_isolated_tickless_and_free_of_callbacks" {
  command = plan

  assert {
    condition     = strcontains(output.kernel_command_line, "isolcpus=managed_irq,domain,2,3,4,5 nohz_full=2,3,4,5 rcu_nocbs=2,3,4,5 irqaffinity=0,1")
    error_message = "The kernel's command line: ${output.kernel_command_line}"
  }
}

run "it_is_cloud_init_that_logs_nobody_in_by_password" {
  command = plan

  assert {
    condition     = startswith(output.user_data, "#cloud-config\n") && yamldecode(output.user_data).ssh_pwauth == false
    error_message = "cloud-init knows its file by the first line."
  }

  assert {
    condition     = strcontains(yamldecode(output.user_data).write_files[0].content, output.kernel_command_line)
    error_message = "The boot loader has another command line."
  }
}

run "a_clock_of_the_card_is_turned_on" {
  command = plan

  variables {
    ptp = true
  }

  assert {
    condition     = yamldecode(output.user_data).write_files[1].content == "options ena phc_enable=1\n"
    error_message = "The card's clock is off."
  }
}

run "one_core_is_too_few" {
  command = plan

  variables {
    isolated_cores = [2]
  }

  expect_failures = [var.isolated_cores]
}

run "core_0_is_the_systems" {
  command = plan

  variables {
    isolated_cores = [0, 1]
    system_cores   = [2, 3]
  }

  expect_failures = [var.isolated_cores]
}

run "no_core_is_both" {
  command = plan

  variables {
    system_cores = [0, 1, 2]
  }

  expect_failures = [var.system_cores]
}

run "somebody_may_log_in_and_not_by_an_old_key" {
  command = plan

  variables {
    operator_keys = ["ssh-rsa AAAA ann"]
  }

  expect_failures = [var.operator_keys]
}
