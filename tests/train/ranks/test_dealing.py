# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Shares of a batch: who gets which sample, whose deviation is taken together, and what is refused."""

import pytest
import torch

from gan.networks.discriminator import minibatch_stddev
from gan.shares import Share
from train.ranks.dealing import deal, describe_deal, find_choices
from train.ranks.errors import RanksError


def test_samples_go_round_the_ranks() -> None:
    assert [list(range(32))[deal(32, 4, rank, 4)[0].slice][:3] for rank in range(4)] == [
        [0, 4, 8],
        [1, 5, 9],
        [2, 6, 10],
        [3, 7, 11],
    ]
    rounds = deal(32, 4, rank=1, ranks=2, batch_gpu=8)
    assert [list(range(32))[share.slice][:2] for share in rounds] == [[1, 5], [3, 7]]
    assert [len(share) for share in rounds] == [8, 8]
    assert len(Share(5, 1, 2)) == 2 and len(Share(5, 0, 2)) == 3


@pytest.mark.parametrize(
    ("batch", "group", "ranks", "batch_gpu"), [(32, 4, 4, 4), (24, 4, 2, 4), (32, 8, 2, 8), (8, 8, 1, 0)]
)
def test_deviation_groups_are_those_of_the_whole_batch(batch: int, group: int, ranks: int, batch_gpu: int) -> None:
    x = torch.randn(batch, 2, 4, 4)
    whole = minibatch_stddev(x, group, 1)
    for rank in range(ranks):
        for share in deal(batch, group, rank, ranks, batch_gpu):
            torch.testing.assert_close(minibatch_stddev(x[share.slice], group, 1), whole[share.slice])


def test_a_share_draws_the_numbers_of_the_whole_batch() -> None:
    for draw in (
        lambda share: share.draw_normal(3),
        lambda share: share.draw_uniform(2, 2),
        lambda share: share.draw_integers(0, 1000),
    ):
        states, parts = [], []
        for share in (Share(8), Share(8, 0, 2), Share(8, 1, 2)):
            torch.manual_seed(1)
            parts.append(draw(share))
            states.append(torch.get_rng_state())
        assert torch.equal(torch.stack(parts[1:], dim=1).flatten(0, 1), parts[0])
        assert torch.equal(states[0], states[1]) and torch.equal(states[0], states[2])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((8, 4, 0, 3, 0), "batch of 8 cannot be dealt to 3 processes evenly"),
        (
            (32, 4, 0, 2, 3),
            "does not divide the 16 pictures of a batch of 32 that each of 2 processes gets; choose one of 4, 8, 16.",
        ),
        ((32, 4, 0, 1, 64), "--batch-gpu=64 does not divide a batch of 32; choose one of 4, 8, 16, 32."),
        ((32, 4, 0, 2, 2), "groups of 4 pictures, but 2 would be computed at once; give a --batch-gpu of 4, 8, 16."),
        ((32, 4, 0, 16, 0), "give a --batch that is a multiple of 64."),
    ],
)
def test_numbers_that_do_not_fit_are_refused(arguments: tuple[int, int, int, int, int], said: str) -> None:
    with pytest.raises(RanksError) as caught:
        deal(*arguments)
    assert said in str(caught.value)


def test_the_deal_is_said() -> None:
    assert describe_deal(deal(32, 4, 0, 4), 4) == "Trained by 4 processes, 8 pictures of a batch each."
    assert describe_deal(deal(32, 4, batch_gpu=8), 1) == "A batch of 32, computed 8 at once in 4 rounds."
    assert find_choices(24, 4, 2) == [4, 12]
