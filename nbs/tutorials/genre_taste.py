"""A model of your own in one file: how much each person likes each genre, from a history and an embedding"""
import torch
from fastai.basics import Learner
from torch import nn
from recnb.all import *


class TasteDataLoaders(HistoryDataLoaders):
    "Histories, with a choice of how a rating counts"
    loader_args = 'length', 'history_from', 'weights'
    length:int = 20 # Ratings in an example, the target included
    weights:str = 'centred' # Does a rating count by its distance from the mean ('centred'), or each the same ('equal')?


class GenreTaste(RecModel):
    "mean + item bias + (taste from the history + taste of the user's own) · genres of the item"
    tables_by_id = {'user': ('taste.weight',), 'item': ('bias.weight',)}
    explains_by = 'contribution'

    def __init__(self,
        n_users:int, # Rows of the user table, the unknown included
        genres:torch.Tensor, # One row an item index, (n_items, G)
        mean:float, # Of the training ratings
        weights:str='centred', # As for `TasteDataLoaders`
    ):
        super().__init__()
        self.mean, self.weights = mean, weights
        self.register_buffer('genres', genres, persistent=False)
        n_items, n_genres = genres.shape
        self.taste, self.bias = nn.Embedding(n_users, n_genres), nn.Embedding(n_items, 1)
        self.mix = nn.Linear(n_genres, n_genres, bias=False) # from genres of the history to taste
        for param in self.parameters(): nn.init.zeros_(param)

    def history_weights(self, past_items, past_ratings): # (B, N) twice to (B, N)
        real = (past_items > 0).float()
        weights = (past_ratings - self.mean)*real if self.weights == 'centred' else real
        return weights/real.sum(1, keepdim=True).clamp(min=1).sqrt()

    def history_taste(self, past_items, past_ratings): # (B, N) twice to (B, G)
        weights = self.history_weights(past_items, past_ratings)
        return self.mix((self.genres[past_items.long()]*weights[..., None]).sum(1))

    def forward(self, user, item, past_items, past_ratings, n): # ratings, (B,)
        taste = self.taste(user) + self.history_taste(past_items, past_ratings)
        return self.mean + self.bias(item)[:, 0] + (taste*self.genres[item.long()]).sum(1)

    def scores(self, user, past_items, past_ratings, n): # (B, n_items)
        taste = self.taste(user) + self.history_taste(past_items, past_ratings)
        return self.mean + self.bias.weight[:, 0] + taste @ self.genres.T

    def item_vectors(self): return self.genres

    def fold_in_parts(self): # a rating is linear in the user's row, so the derivative is the item's genres
        def predict(item, past_items, past_ratings, n):
            genres = self.genres[item]
            offset = self.mean + self.bias(item)[:, 0] + genres @ self.history_taste(past_items, past_ratings)[0]
            return lambda rows: (rows @ genres.T + offset, genres[None])
        def noise(user, item, rating): return rating.var().item()
        def tables(rows): return {'taste.weight': rows[:, 0]}
        return FoldInParts(self.taste.weight.detach()[None], predict, tables, noise)

    @torch.no_grad()
    def explain(self, user, past_items, past_ratings, n, item): # what each rating of the history adds to the score
        weights = self.history_weights(past_items, past_ratings)[0]
        taste = self.mix(self.genres[past_items[0].long()])
        return past_items[0], weights*(taste @ self.genres[item])


@recipe('genre-taste', epochs=5, about='how much each person likes each genre', loaders=TasteDataLoaders,
    presets={'short': dict(length=5, weights='equal')})
def genre_taste_learner(
    dls, # `TasteDataLoaders`
    lr:float=.02, # Peak of the one-cycle schedule
    wd:float=.3, # Weight decay
)->Learner: # Ready to fit
    "A `Learner` for tastes in genres"
    genres = multi_hot(dls.ratings.items, dls.items, ITEM)[0]
    genres = genres/genres.sum(1, keepdim=True).clamp(min=1).sqrt()
    mean = dls.train.dataset.rating.double().mean().item()
    model = GenreTaste(len(dls.users), genres, mean, dls.weights)
    return Learner(dls, model, loss_func=nn.MSELoss(), opt_func=FusedAdamW, lr=lr, wd=wd, metrics=[MAE(), RMSE()])
