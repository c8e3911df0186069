# Planned against a provider that answers as AWS would, without AWS.
mock_provider "aws" {}

variables {
  desk_network  = "10.20.32.0/24"
  venues        = { XNAS = "10.90.0.0/24" }
  operator_keys = ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIExampleExampleExampleExampleExampleExampleExam ann"]
}

run "two_whole_machines_apart_from_each_other" {
  command = plan

  assert {
    condition     = aws_ec2_capacity_reservation.own["trade"].availability_zone != aws_ec2_capacity_reservation.own["standby"].availability_zone
    error_message = "One zone would take both away."
  }

  assert {
    condition     = alltrue([for one in aws_instance.host : endswith(one.instance_type, "metal-24xl")])
    error_message = "A machine that others share."
  }

  assert {
    condition     = alltrue([for one in aws_placement_group.near : one.strategy == "cluster"])
    error_message = "Not near."
  }
}

run "disks_are_encrypted_and_metadata_asks_for_a_token" {
  command = plan

  assert {
    condition     = alltrue([for one in aws_ebs_volume.journals : one.encrypted]) && alltrue([for one in aws_instance.host : one.root_block_device[0].encrypted])
    error_message = "A disk that is not encrypted."
  }

  assert {
    condition     = alltrue([for one in aws_instance.host : one.metadata_options[0].http_tokens == "required"])
    error_message = "IMDSv1 is on."
  }
}

run "nobody_comes_in_from_everywhere" {
  command = plan

  assert {
    condition = alltrue([
      for rule in concat(values(aws_vpc_security_group_ingress_rule.market), values(aws_vpc_security_group_ingress_rule.desk)) : rule.cidr_ipv4 != "0.0.0.0/0"
    ])
    error_message = "A port is open to everybody."
  }

  assert {
    condition     = alltrue([for one in aws_subnet.of : one.map_public_ip_on_launch == false])
    error_message = "A public address."
  }

  assert {
    condition     = length(distinct([for one in aws_subnet.of : one.cidr_block])) == 6
    error_message = "Two networks overlap."
  }
}

run "one_zone_is_refused" {
  command = plan

  variables {
    zones = ["us-east-1a", "us-east-1a"]
  }

  expect_failures = [var.zones]
}

run "a_virtual_machine_is_refused" {
  command = plan

  variables {
    instance_type = "c7i.large"
  }

  expect_failures = [var.instance_type]
}

run "the_internet_is_no_desk" {
  command = plan

  variables {
    desk_network = "0.0.0.0/0"
  }

  expect_failures = [var.desk_network]
}
