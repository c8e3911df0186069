# A host that trades and one that stands by, in two availability zones of one region. Each is a whole
# machine (metal), reserved, in a cluster placement group, with a card whose clock PTP keeps.
# Apart from each other: the market's network, the standby's copy, and who looks and acts.
#
#     terraform init && terraform plan -var-file=example.tfvars
#
# An example: read it against your own account's rules before `apply`. Its state names no secret.

terraform {
  required_version = ">= 1.7"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.60, < 6.0"
    }
  }
}

provider "aws" {
  region = var.region

  default_tags {
    tags = { project = "hftlib" }
  }
}

locals {
  # The order is that of the roles: the first trades.
  hosts = {
    trade   = { zone = var.zones[0], number = 0 }
    standby = { zone = var.zones[1], number = 1 }
  }
}

module "host" {
  source   = "../host"
  for_each = local.hosts

  name           = "hft-${each.key}"
  isolated_cores = var.isolated_cores
  operator_keys  = var.operator_keys
  ptp            = true
}

data "aws_ami" "debian" {
  most_recent = true
  owners      = ["136693071363"] # Debian's own account

  filter {
    name   = "name"
    values = ["debian-12-amd64-*"]
  }
}

# Close to each other in a zone, where the market's own gateway or a second runner joins the group.
resource "aws_placement_group" "near" {
  for_each = local.hosts

  name     = "hft-${each.key}"
  strategy = "cluster"
}

# The machine is ours also while it is stopped. AWS puts no dedicated host into a placement group; a
# metal instance is a whole machine by itself.
resource "aws_ec2_capacity_reservation" "own" {
  for_each = local.hosts

  instance_type           = var.instance_type
  instance_platform       = "Linux/UNIX"
  instance_count          = 1
  instance_match_criteria = "targeted"
  availability_zone       = each.value.zone
  placement_group_arn     = aws_placement_group.near[each.key].arn

  tags = { Name = "hft-${each.key}" }
}

resource "aws_instance" "host" {
  for_each = local.hosts

  ami           = data.aws_ami.debian.id
  instance_type = var.instance_type

  placement_group = aws_placement_group.near[each.key].name
  user_data       = module.host[each.key].user_data

  capacity_reservation_specification {
    capacity_reservation_target {
      capacity_reservation_id = aws_ec2_capacity_reservation.own[each.key].id
    }
  }

  disable_api_termination = true
  monitoring              = true

  network_interface {
    device_index         = 0
    network_interface_id = aws_network_interface.card["${each.key}-desk"].id
  }

  metadata_options {
    http_tokens                 = "required"
    http_put_response_hop_limit = 1
  }

  root_block_device {
    volume_type = "gp3"
    volume_size = 64
    encrypted   = true
    kms_key_id  = aws_kms_key.disks.arn
  }

  lifecycle {
    # A newer image is a new host, made beside this one; never a reboot in the middle of a day.
    ignore_changes = [ami, user_data]
  }

  tags = { Name = "hft-${each.key}" }
}
